// Pictures of the dashboards in headless Chromium, from the lab's data: previews, not Grafana.
import { choices, fill, inSteps, macros, options } from './variables.mjs';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from './dashboards.mjs';
import { page, WIDTH } from './preview/page.mjs';

// What is chosen in a dashboard for one gateway; in the others everything is.
const CHOSEN = { 'gateway.json': { instance: 'home-1' }, 'return-path.json': { instance: 'home-1|home-2' } };
const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync);

// Panels with rows that repeat written out, each with the variables that hold in it.
export function repeated(json, found, values) {
  const out = [];
  let group = [];
  let shift = 0;
  const flush = () => {
    if (!group.length) return;
    const [head] = group;
    const height = Math.max(...group.map(({ gridPos: g }) => g.y + g.h)) - head.gridPos.y;
    const each = head.repeat ? found[head.repeat] : [undefined];
    each.forEach((value, index) => {
      const own = value === undefined ? values : { ...values, [head.repeat]: value };
      for (const panel of group)
        out.push({
          panel: { ...panel, gridPos: { ...panel.gridPos, y: panel.gridPos.y + shift + index * height } },
          values: own,
        });
    });
    shift += (each.length - 1) * height;
    group = [];
  };
  for (const panel of json.panels) {
    if (panel.type === 'row') flush();
    group.push(panel);
  }
  flush();
  return out;
}

async function answersOf(prometheus, { panel, values }, view, scrape) {
  const span = inSteps(panel, view);
  const macro = macros(span, scrape);
  const out = [];
  for (const target of panel.targets ?? []) {
    const query = fill(target.expr, values, macro);
    out.push(target.instant ? await prometheus.instant(query, span.end) : await prometheus.range(query, span));
  }
  return out;
}

// The last moment at which the tunnel still looped, and the end.
async function moments(prometheus, span) {
  const [looping] = await prometheus.range('openvpn_diagnosis{instance="home-1",diagnosis="one_way_loop"} == 1', span);
  return { looping: looping[1].at(-1)[0], end: span.end };
}

export async function draw(prometheus, span, scrape, directory, told) {
  if (!CHROMIUM) return told('skip', 'pictures', 'Chromium is not installed and could not be');
  mkdirSync(directory, { recursive: true });
  const { chromium } = await import('playwright-core');
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  const at = await moments(prometheus, span);
  for (const { file, json } of load())
    for (const [moment, end] of Object.entries(at)) {
      const view = { ...span, end };
      const macro = macros(view, scrape);
      const values = choices(json, CHOSEN[file]);
      const found = await options(json, prometheus, view, macro, values);
      const panels = [];
      for (const one of repeated(json, found, values))
        panels.push({ ...one, answers: await answersOf(prometheus, one, view, scrape) });
      const alerts = await prometheus.range(fill(json.annotations.list[0].target.expr, values, macro), view);
      const begun = alerts.map(([, values]) => values[0][0]);
      const name = `${file.replace('.json', '')}-${moment}`;
      const html = page(
        json,
        panels,
        { ...view, alerts: begun },
        `${moment}, ${view.end - view.start} s of the lab's story`,
      );
      writeFileSync(join(directory, `${name}.html`), html);
      const tab = await browser.newPage({ viewport: { width: WIDTH, height: 900 } });
      const errors = [];
      tab.on('pageerror', (error) => errors.push(String(error)));
      await tab.setContent(html);
      await tab.screenshot({ path: join(directory, `${name}.png`), fullPage: true });
      const empty = await tab.locator('.none').count();
      await tab.close();
      const silent = panels
        .filter(({ answers }) => answers.length && answers.every((a) => a.length === 0))
        .map(({ panel }) => panel.title);
      told(errors.length ? 'FAIL' : 'ok', `picture ${name}`, errors.join(' '));
      if (empty) console.log(`     ${name}: no data in ${silent.join(', ')}`);
    }
  await browser.close();
  console.log(`Pictures are in ${directory}`);
}
