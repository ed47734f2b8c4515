// The 17 rules of Grafana's dashboard-linter, written anew because that needs a Go toolchain. Each is a function from a
// dashboard to the faults in it. EXCLUSIONS are the only exceptions, each with its reason.
import { MACROS, read } from './promql.mjs';
import { panels, targets, variables } from './dashboards.mjs';

export const EXCLUSIONS = [
  {
    rule: 'target-rate-interval-rule',
    range: MACROS.__range,
    reason: 'Tables tell how often something happened in the whole time shown.',
  },
  {
    rule: 'target-job-rule',
    level: 'carrier:',
    reason: 'Records of level carrier add gateways up: no job and no instance is left on them.',
  },
  {
    rule: 'target-instance-rule',
    level: 'carrier:',
    reason: 'As above.',
  },
];

const UNITS = new Set([
  'none',
  'short',
  'string',
  'percent',
  'percentunit',
  's',
  'ms',
  'bytes',
  'Bps',
  'pps',
  'ops',
  'reqps',
  'cps',
  'dateTimeFromNow',
  'dateTimeAsIso',
  'bool_yes_no',
  'bool',
]);
const TEMPLATED = '${datasource}';
const queries = (json) => targets(json).map((one) => ({ ...one, query: read(one.target.expr) }));
const valid = (json) => queries(json).filter(({ query }) => query.errors.length === 0);

function* variable(json, name) {
  const found = variables(json).find((v) => v.name === name);
  if (!found) return yield `there is no variable ${name}`;
  if (found.type !== 'query') yield `variable ${name} is no query`;
  if (found.datasource?.uid !== TEMPLATED) yield `variable ${name} does not use ${TEMPLATED}`;
  if (found.label !== name[0].toUpperCase() + name.slice(1)) yield `variable ${name} is labelled ${found.label}`;
  if (!found.multi) yield `variable ${name} takes one value only`;
  if (found.allValue !== '.+') yield `variable ${name}: all is ${found.allValue}, not .+`;
}

function* matcher(json, name) {
  const levels = EXCLUSIONS.filter((e) => e.rule === `target-${name}-rule`).map((e) => e.level);
  for (const { where, query } of valid(json))
    for (const selector of query.selectors)
      if (
        !levels.some((level) => selector.metric.startsWith(level)) &&
        !selector.matchers.some(([label, op, value]) => label === name && op === '=~' && value === `$${name}`)
      )
        yield `${where}: ${selector.text} has no ${name}=~"$${name}"`;
}

function* logql(json, what) {
  for (const { where, target } of targets(json))
    if (target.datasource?.type === 'loki') yield `${where}: ${what} cannot be checked here`;
}

export const RULES = {
  *'template-datasource-rule'(json) {
    const found = variables(json).filter((v) => v.type === 'datasource');
    if (found.length !== 1 || found[0].name !== 'datasource' || found[0].query !== 'prometheus')
      yield 'no variable datasource of Prometheus';
    else if (found[0].label !== 'Data source') yield 'variable datasource is not labelled "Data source"';
  },
  *'template-job-rule'(json) {
    yield* variable(json, 'job');
  },
  *'template-instance-rule'(json) {
    yield* variable(json, 'instance');
  },
  *'template-label-promql-rule'(json) {
    for (const v of variables(json).filter((one) => one.type === 'query')) {
      const call = v.query.query.match(/^(label_names|label_values|metrics|query_result)\((.*?)(?:, (\w+))?\)$/s);
      if (!call) yield `variable ${v.name}: ${v.query.query}`;
      else for (const error of read(call[2]).errors) yield `variable ${v.name}: ${error}`;
    }
  },
  *'template-on-time-change-reload-rule'(json) {
    for (const v of variables(json))
      if (v.type === 'query' && v.refresh !== 2) yield `variable ${v.name} does not follow the time shown`;
  },
  *'panel-datasource-rule'(json) {
    for (const { where, target } of targets(json))
      if (target.datasource?.uid !== TEMPLATED) yield `${where} does not use ${TEMPLATED}`;
    for (const panel of panels(json))
      if (panel.datasource?.uid !== TEMPLATED) yield `"${panel.title}" does not use ${TEMPLATED}`;
  },
  *'panel-title-description-rule'(json) {
    for (const panel of panels(json))
      if (!panel.title?.trim() || !panel.description?.trim()) yield `panel ${panel.id} lacks title or description`;
  },
  *'panel-units-rule'(json) {
    for (const panel of panels(json))
      if (!UNITS.has(panel.fieldConfig?.defaults?.unit))
        yield `"${panel.title}": unit ${panel.fieldConfig?.defaults?.unit}`;
  },
  *'panel-no-targets-rule'(json) {
    for (const panel of panels(json)) if (!panel.targets?.length) yield `"${panel.title}" asks nothing`;
  },
  *'target-logql-rule'(json) {
    yield* logql(json, 'LogQL');
  },
  *'target-logql-auto-rule'(json) {
    yield* logql(json, '$__auto');
  },
  *'target-promql-rule'(json) {
    for (const { where, query } of queries(json)) for (const error of query.errors) yield `${where}: ${error}`;
  },
  *'target-rate-interval-rule'(json) {
    const allowed = EXCLUSIONS.filter((e) => e.rule === 'target-rate-interval-rule').map((e) => e.range);
    for (const { panel, where, query } of valid(json))
      for (const { range, call, text } of query.selectors)
        if (
          range &&
          range !== MACROS.__rate_interval &&
          !(call === 'increase' && panel?.type === 'table' && allowed.includes(range))
        )
          yield `${where}: ${call}(${text}[${range}]) is not over $__rate_interval`;
  },
  *'target-job-rule'(json) {
    yield* matcher(json, 'job');
  },
  *'target-instance-rule'(json) {
    yield* matcher(json, 'instance');
  },
  *'target-counter-agg-rule'(json) {
    for (const { where, query } of valid(json))
      for (const { metric, call } of query.selectors)
        if (/_total$/.test(metric) && !['rate', 'irate', 'increase'].includes(call))
          yield `${where}: ${metric} without rate or increase`;
  },
  *'uneditable-dashboard'(json) {
    if (json.editable !== false) yield 'it can be edited';
  },
};

// Rule -> what breaks it in a dashboard that is well.
const first = (json) => panels(json)[0];
const expr = (text) => (json) => {
  first(json).targets[0].expr = text;
};
const set = (name, key, value) => (json) => {
  variables(json).find((v) => v.name === name)[key] = value;
};
const well = 'job=~"$job",instance=~"$instance"';
export const BREAKS = {
  'template-datasource-rule': set('datasource', 'query', 'loki'),
  'template-job-rule': set('job', 'allValue', '.*'),
  'template-instance-rule': set('instance', 'multi', false),
  'template-label-promql-rule': set('job', 'query', { query: 'label_values(up{, job)' }),
  'template-on-time-change-reload-rule': set('job', 'refresh', 1),
  'panel-datasource-rule': (json) => {
    first(json).datasource = { uid: 'abc' };
  },
  'panel-title-description-rule': (json) => {
    first(json).description = ' ';
  },
  'panel-units-rule': (json) => {
    first(json).fieldConfig.defaults.unit = 'furlongs';
  },
  'panel-no-targets-rule': (json) => {
    first(json).targets = [];
  },
  'target-logql-rule': (json) => {
    first(json).targets[0].datasource = { type: 'loki' };
  },
  'target-logql-auto-rule': (json) => {
    first(json).targets[0].datasource = { type: 'loki' };
  },
  'target-promql-rule': expr(`sum (up{${well}}`),
  'target-rate-interval-rule': expr(`rate(uplink_verdict_changes_total{${well}}[5m])`),
  'target-job-rule': expr('up{instance=~"$instance"}'),
  'target-instance-rule': expr('sum (up{job=~"$job",instance="$instance"})'),
  'target-counter-agg-rule': expr(`sum (uplink_verdict_changes_total{${well}})`),
  'uneditable-dashboard': (json) => {
    json.editable = true;
  },
};
