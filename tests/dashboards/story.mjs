// Asks every query of dashboards/ and rules/ of what the lab's Prometheus kept of the seed's story: each has to return
// data. A query that is empty while all is well has it in the chapter where something is not; ABSENT names those of which
// the story has no case, and why.
//
// usage: story.mjs DATA [PICTURES]    the last line is `N passed, N failed, N skipped`
import { ABSENT, FIRES, MAY } from './expected.mjs';
import { choices, fill, inSteps, macros, options } from './variables.mjs';
import { load, targets } from './dashboards.mjs';
import { Prometheus } from './prometheus.mjs';
import { read } from './promql.mjs';
import { existsSync } from 'node:fs';
import { rules } from './catalogue.mjs';

const SCRAPE = 5; // s, as deploy/prometheus has it
const [kept, pictures] = process.argv.slice(2);
if (!existsSync(kept)) {
  console.log(`Nothing is kept in ${kept}: the story did not come to its end.`);
  process.exit(1);
}
const count = { ok: 0, FAIL: 0, skip: 0 };
function told(word, title, why = '') {
  count[word] += 1;
  if (word !== 'ok') console.log(`${word.padEnd(4)} ${title}${why && `: ${why}`}`);
}

const prometheus = await Prometheus.over(kept);
const span = { ...(await prometheus.span()), step: SCRAPE };
console.log(`${span.end - span.start} s of the story, in steps of ${SCRAPE} s`);
const macro = macros(span, SCRAPE);
const some = (series) => series.some(([, values]) => values.some(([, value]) => !Number.isNaN(value)));
const asked = async (query) => some(await prometheus.range(query, span));

// The selectors of a query, each of which has to return data of its own. A record of verdicts has only those that were in
// force: it is asked for any.
async function* silent(query) {
  for (const { text: selector, metric, matchers } of read(query).selectors) {
    const others = matchers.filter(([label]) => label !== 'verdict').map(([label, op, value]) => `${label}${op}"${value}"`);
    const asking = metric.includes(':') ? `${metric}{${others}}` : selector;
    if (!(await asked(asking))) yield ABSENT[metric] ? { absent: `${metric}: ${ABSENT[metric]}` } : { selector };
  }
}

for (const { file, json } of load()) {
  const values = choices(json);
  for (const [name, found] of Object.entries(await options(json, prometheus, span, macro)))
    told(found.length ? 'ok' : 'FAIL', `${file}: variable ${name}`, 'it has no values');
  for (const { panel, where, target } of targets(json)) {
    const query = fill(target.expr, values, macros(inSteps(panel, span), SCRAPE));
    if (await asked(query)) {
      told('ok', '');
      continue;
    }
    const absent = read(query)
      .selectors.map(({ metric }) => ABSENT[metric] && `${metric}: ${ABSENT[metric]}`)
      .find(Boolean);
    told(absent ? 'skip' : 'FAIL', `${file}: ${where}`, absent ?? `no data: ${query}`);
  }
}

// An alert that the story does not bring about must be silent, while every selector in it finds its metric.
for (const { rule } of rules()) {
  const name = rule.alert ?? rule.record;
  const fires = await asked(String(rule.expr));
  if (rule.record || FIRES.has(name)) {
    told(fires ? 'ok' : 'FAIL', name, 'no data');
    continue;
  }
  if (fires && !MAY.has(name)) {
    told('FAIL', name, 'it fires in a story that has no cause for it');
    continue;
  }
  const quiet = [];
  for await (const one of silent(rule.expr)) quiet.push(one);
  const bad = quiet.filter((one) => one.selector);
  told(
    bad.length ? 'FAIL' : quiet.length ? 'skip' : 'ok',
    name,
    bad.map((one) => `no data: ${one.selector}`).join('; ') || quiet[0]?.absent,
  );
}

if (pictures) await (await import('./pictures.mjs')).draw(prometheus, span, SCRAPE, pictures, told);
await prometheus.stop();
console.log(`${count.ok} passed, ${count.FAIL} failed${count.skip ? `, ${count.skip} skipped` : ''}`);
process.exitCode = count.FAIL ? 1 : 0;
