// Variables and macros of a dashboard, put into its queries as Grafana does.
import { expand } from './promql.mjs';
import { variables } from './dashboards.mjs';

// A range vector needs four scrapes at least, as Grafana's $__rate_interval sees to.
export const macros = (span, scrape) => ({
  __rate_interval: `${Math.max(4 * scrape, span.step + scrape)}s`,
  __interval: `${span.step}s`,
  __range: `${span.end - span.start}s`,
});

const LONGEST = 30; // s: some panels have steps longer than the whole story
const seconds = (text) => (text ? Number(text.slice(0, -1)) * { s: 1, m: 60, h: 3600 }[text.at(-1)] : 0);

// The time in view, in the steps of a panel.
export const inSteps = (panel, span) => ({
  ...span,
  step: Math.max(span.step, Math.min(seconds(panel?.interval), LONGEST)),
});

// Everything is chosen: each variable has its allValue. `chosen` overrides single ones.
export function choices(json, chosen = {}) {
  return Object.fromEntries(
    variables(json)
      .filter((v) => v.type === 'query')
      .map((v) => [v.name, chosen[v.name] ?? v.allValue]),
  );
}

export function fill(text, values, macro) {
  return expand(text, macro).replace(/\$\{?(\w+)\}?/g, (whole, name) => values[name] ?? whole);
}

// Name -> values there are to choose from.
export async function options(json, prometheus, span, macro, values = choices(json)) {
  const found = {};
  for (const v of variables(json).filter((one) => one.type === 'query'))
    found[v.name] = await prometheus.labelValues(fill(v.query.query, values, macro), span);
  return found;
}
