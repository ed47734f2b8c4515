// Checks of dashboards/ that need no Prometheus. The last line is `N passed, N failed`.
import { BREAKS, RULES } from './lint.mjs';
import { catalogue, dashboardFaults, faults, ruleFaults, states, untranslated } from './catalogue.mjs';
import { load } from './dashboards.mjs';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { typeErrors } from './types.mjs';

const count = { ok: 0, FAIL: 0 };
function test(title, problems) {
  const list = [...problems];
  const word = list.length ? 'FAIL' : 'ok';
  count[word] += 1;
  console.log(`${word.padEnd(4)} ${title}`);
  for (const problem of list.slice(0, 20)) console.log(`     ${problem}`);
}
const missed = (list, what) => ([...list].length ? [] : [`it does not see ${what}`]);
const broken = (breaks) => {
  const [one] = load();
  breaks(one.json);
  return one;
};

const all = load();
for (const [name, rule] of Object.entries(RULES)) {
  test(
    name,
    all.flatMap(({ file, json }) => [...rule(json)].map((fault) => `${file}: ${fault}`)),
  );
  test(`self-test: ${name}`, missed(rule(broken(BREAKS[name]).json), `what breaks it`));
}

const ids = all.map(({ json }) => json.uid);
test(
  'dashboards have a uid, no id, a schema, tags, a refresh, a shared crosshair, links and annotations of alerts',
  all.flatMap(({ file, json }) =>
    [
      [/^uplink-[a-z-]+$/.test(json.uid) && ids.filter((id) => id === json.uid).length === 1, 'uid'],
      [json.id === null, 'id'],
      [json.schemaVersion >= 39 && json.schemaVersion <= 42, 'schemaVersion'],
      [json.tags?.includes('uplink'), 'tags'],
      [json.refresh, 'refresh'],
      [json.graphTooltip === 1, 'graphTooltip'],
      [json.links?.some((l) => l.tags.includes('uplink')), 'links'],
      [json.annotations.list.some((note) => note.target.expr.includes('ALERTS')), 'annotations'],
      [!json.__inputs, '__inputs'],
    ]
      .filter(([good]) => !good)
      .map(([, what]) => `${file}: ${what}`),
  ),
);
test(
  'links lead to dashboards that exist',
  all.flatMap(({ file, json }) =>
    [...JSON.stringify(json).matchAll(/\/d\/([\w-]+)/g)]
      .filter(([, uid]) => !ids.includes(uid))
      .map(([, uid]) => `${file}: ${uid}`),
  ),
);

test('every label that a dashboard names is in the catalogue', dashboardFaults());
test('every label that a rule names is in the catalogue', ruleFaults());
test('every state of a state set is translated', untranslated());
for (const wrong of [
  'uplink_verdict{carrier="a"}',
  'sum by (carrier) (uplink_verdict)',
  'uplink_verdict{verdict="oneway"}',
  'uplink_wrong',
  'sum (',
])
  test(`self-test: ${wrong}`, missed(faults(wrong, catalogue(), states()), 'the fault'));
test('self-test: a legend', missed(faults('up', catalogue(), states(), '{{uplink}}'), 'a label that is not there'));
test(
  'self-test: a state without a number',
  missed(untranslated({ ...states(), uplink_verdict: new Set(['asleep']) }), 'it'),
);

test('types: each dashboard is one to @grafana/schema', typeErrors());
test(
  'self-test: types',
  missed(
    typeErrors([
      broken((json) => {
        json.colour = 'red';
      }),
    ]),
    'an unknown key',
  ),
);
test(
  'self-test: types of options',
  missed(
    typeErrors([
      broken((json) => {
        json.panels[0].options.showHeader = 'perhaps';
      }),
    ]),
    'a wrong option',
  ),
);

const make = fileURLToPath(new URL('../../dashboards/make.py', import.meta.url));
let drift = '';
try {
  execFileSync(make, ['--check'], { encoding: 'utf8' });
} catch (error) {
  drift = error.stdout || String(error);
}
test('dashboards are what their source writes', drift ? [drift] : []);

console.log(`${count.ok} passed, ${count.FAIL} failed`);
process.exitCode = count.FAIL ? 1 : 0;
