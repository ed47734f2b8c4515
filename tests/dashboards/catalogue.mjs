// Every label that a query names belongs to the metric it is asked of, and every value of a state is one that the
// programs serve. (That the metrics themselves exist is among the rules of tests/house.py.)
import { load, ROOT, targets, text, variables } from './dashboards.mjs';
import { parse } from 'yaml';
import { read } from './promql.mjs';
import { readdirSync } from 'node:fs';

const TARGET = ['job', 'instance'];
const CONFIGURED = ['carrier', 'asn']; // `labels:` of an uplink, on uplink_info only, as in deploy/examples
const PROMETHEUS = { up: [], ALERTS: ['alertname', 'alertstate', 'severity'] };
const STATES = {
  uplink_verdict: 'verdict',
  uplink_path_verdict: 'verdict',
  uplink_fault_scope: 'scope',
  openvpn_state: 'state',
  openvpn_diagnosis: 'diagnosis',
  'uplink:uplink_verdict:current': 'verdict',
  'uplink:uplink_verdict:unhealthy': 'verdict',
  'carrier:uplink_verdict:count': 'verdict',
};

export const ruleFiles = () =>
  readdirSync(new URL('rules/', ROOT))
    .filter((name) => name.endsWith('.rules.yml'))
    .map((name) => `rules/${name}`);

// Every rule, with the file that has it.
export const rules = () =>
  ruleFiles().flatMap((file) =>
    parse(text(file)).groups.flatMap((group) => group.rules.map((rule) => ({ file, rule }))),
  );

// What ALERTS or a recording rule carries, its own query decides: not known here.
const open = (metric) => metric === 'ALERTS' || metric.includes(':');

// metric -> its labels
export function catalogue() {
  const found = new Map(Object.entries(PROMETHEUS));
  for (const [, name, kind, labels] of text('exporter/metrics/catalogue.h').matchAll(
    /\{"(\w+)", k(\w+), \{([^}]*)\}/g,
  )) {
    const own = [...labels.matchAll(/"(\w+)"/g)].map((match) => match[1]);
    found.set(name, own);
    if (kind === 'Histogram')
      for (const part of ['bucket', 'sum', 'count'])
        found.set(`${name}_${part}`, part === 'bucket' ? [...own, 'le'] : own);
  }
  for (const { rule } of rules()) if (rule.record) found.set(rule.record, []);
  found.get('uplink_info').push(...CONFIGURED);
  found.get('uplink_route_info').push('gateway', 'table'); // beside the three of the catalogue, see its help
  return found;
}

// metric -> values of the label that makes it a state set, as the golden page shows them
export function states() {
  const found = {};
  for (const [, metric, labels] of text('tests/data/metrics/golden.prom').matchAll(/^(\w+)\{(.*)\} /gm)) {
    const value = STATES[metric] && labels.match(new RegExp(`\\b${STATES[metric]}="(\\w+)"`))?.[1];
    if (value) (found[metric] ??= new Set()).add(value);
  }
  for (const record of Object.keys(STATES).filter((name) => name.includes(':'))) found[record] = found.uplink_verdict;
  return found;
}

// Labels that the metrics of a query may have; null where one of them is open.
function union(selectors, known) {
  if (selectors.some(({ metric }) => open(metric))) return null;
  return new Set([...TARGET, 'le', ...selectors.flatMap(({ metric }) => known.get(metric) ?? [])]);
}

function* selectorFaults({ metric, matchers }, known, values) {
  const own = known.get(metric);
  if (!own) return yield `no program serves ${metric}`;
  for (const [label, operator, value] of matchers) {
    if (!open(metric) && ![...own, ...TARGET].includes(label)) yield `${metric} has no label ${label}`;
    if (STATES[metric] !== label || value.includes('$')) continue;
    for (const one of operator.endsWith('~') ? value.split('|') : [value])
      if (!values[metric].has(one)) yield `${metric} is never ${one}`;
  }
}

// Faults of one query, and of the labels that its legend names.
export function* faults(query, known, values, legend = '') {
  const { selectors, labels, errors } = read(query);
  yield* errors;
  for (const selector of selectors) yield* selectorFaults(selector, known, values);
  const named = [...labels, ...[...legend.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1])];
  const there = union(selectors, known);
  for (const label of named) if (there && !there.has(label)) yield `no metric of the query has the label ${label}`;
}

export function* dashboardFaults(known = catalogue(), values = states(), all = load()) {
  for (const { file, json } of all) {
    for (const { where, target } of targets(json))
      for (const fault of faults(target.expr, known, values, target.legendFormat)) yield `${file}: ${where}: ${fault}`;
    for (const v of variables(json).filter((one) => one.type === 'query')) {
      const [, query, label] = v.query.query.match(/^label_values\((.*), (\w+)\)$/s);
      for (const fault of faults(query, known, values, `{{${label}}}`)) yield `${file}: variable ${v.name}: ${fault}`;
    }
  }
}

// Every state that the programs may be in is translated by whatever panel shows that state set as a number.
export function* untranslated(values = states(), all = load()) {
  for (const { file, json } of all)
    for (const { where, target } of targets(json))
      for (const [metric, label] of Object.entries(STATES)) {
        const asked = read(target.expr)
          .selectors.filter((s) => s.metric === metric)
          .flatMap((s) => s.matchers.filter(([l, op]) => l === label && op === '=').map((m) => m[2]));
        if (asked.length > 3)
          for (const value of values[metric])
            if (!asked.includes(value) && !metric.endsWith(`:un${value}`)) yield `${file}: ${where}: no number for ${metric} ${value}`;
      }
}

export function* ruleFaults(known = catalogue(), values = states()) {
  for (const { file, rule } of rules())
    for (const fault of faults(String(rule.expr), known, values))
      yield `${file}: ${rule.alert ?? rule.record}: ${fault}`;
}
