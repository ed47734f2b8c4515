// Reading PromQL as Prometheus' own grammar does, and what a query names.
import { parser } from '@prometheus-io/lezer-promql';

// What Grafana puts in place of its macros; the values only have to be told apart.
export const MACROS = { __rate_interval: '61s', __interval: '15s', __range: '3601s' };

export function expand(query, values = MACROS) {
  return query.replace(/\$\{?(__\w+)\}?/g, (whole, name) => values[name] ?? whole);
}

// {errors, selectors, labels}: a selector is {metric, matchers: [[label, operator, value]], range, call, text}, where
// `call` is the function around a range; labels are those that aggregations and matchings name.
export function read(query) {
  const text = expand(query);
  const found = { text, errors: [], selectors: [], labels: [] };
  const path = [];
  parser.parse(text).iterate({
    enter(node) {
      const here = text.slice(node.from, node.to);
      if (node.type.isError) found.errors.push(`at ${node.from}: ${text.slice(node.from, node.from + 20)}`);
      if (node.name === 'VectorSelector') {
        const range = path.find((p) => p.name === 'MatrixSelector');
        const call = path.filter((p) => p.name === 'FunctionCall').at(-1);
        found.selectors.push({
          metric: '',
          matchers: [],
          text: here,
          range: range && text.slice(range.from, range.to).match(/\[(.*)\]/)[1],
          call: range && call ? text.slice(call.from).match(/^\w+/)[0] : undefined,
        });
      }
      const selector = found.selectors.at(-1);
      if (node.name === 'Identifier' && path.at(-1)?.name === 'VectorSelector') selector.metric = here;
      if (node.name === 'UnquotedLabelMatcher') {
        const [, label, operator, value] = here.match(/^\s*(\w+)\s*(=~|!~|!=|=)\s*"(.*)"$/s);
        selector.matchers.push([label, operator, value]);
      }
      if (node.name === 'LabelName' && path.at(-1)?.name === 'GroupingLabels') found.labels.push(here);
      path.push({ name: node.name, from: node.from, to: node.to });
    },
    leave() {
      path.pop();
    },
  });
  return found;
}
