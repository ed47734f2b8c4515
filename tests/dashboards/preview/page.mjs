// One page for one dashboard: its panels where their grid says, from answers of a real Prometheus. It is no Grafana, and
// says so.
import { readFileSync } from 'node:fs';
import { escape, field, legend } from './format.mjs';
import { heatmap, lines, timeline } from './charts.mjs';
import { inSteps } from '../variables.mjs';
import { stat, table } from './tables.mjs';

export const WIDTH = 1600; // as in style.css
const COLUMN = (WIDTH - 8) / 24;
const ROW = 36;

const HONESTY = "preview, not Grafana: drawn by tests/dashboards from the lab's Prometheus";
const STYLE = readFileSync(new URL('style.css', import.meta.url), 'utf8');

// panels: [{panel, answers, values}] with `answers` of each target as range() or instant() of Prometheus give them.
export function page(json, panels, view, subtitle) {
  const height = Math.max(...panels.map(({ panel: { gridPos: g } }) => g.y + g.h)) * ROW;
  const drawn = panels
    .map(({ panel, answers, values }) => {
      const { x, y, w, h } = panel.gridPos;
      const title = panel.title.replace(/\$(\w+)/g, (whole, name) => values[name] ?? whole);
      const [wide, high] = [w * COLUMN - 6, h * ROW - 6];
      const inside = panel.type === 'row' ? '' : draw(panel, answers, view, wide - 4, high - 28);
      const place = `left:${4 + x * COLUMN}px;top:${4 + y * ROW}px;width:${wide}px;height:${high}px`;
      return `<section class="${panel.type === 'row' ? 'row' : ''}" style="${place}"><h2>${escape(title)}</h2>${inside}</section>`;
    })
    .join('\n');
  const [name, what] = [escape(json.title), escape(subtitle)];
  return `<!doctype html><meta charset="utf-8"><title>${name}: preview, not Grafana</title><style>${STYLE}</style>
<header><b>${name}</b><span>${what}</span><em>${HONESTY}</em></header>
<main style="height:${height + 8}px">${drawn}</main>`;
}

function draw(panel, answers, view, w, h) {
  if (answers.every((answer) => answer.length === 0)) return '<div class="none">No data</div>';
  if (panel.type === 'table') return table(panel, answers, view.end);
  const series = answers.flatMap((answer, index) =>
    answer.map(([labels, points]) => {
      const name = legend(panel.targets[index], labels);
      return { name, labels, points, config: field(panel, name) };
    }),
  );
  switch (panel.type) {
    case 'stat':
      return stat(series, w, h, view.end);
    case 'timeseries':
      return lines(panel, series, inSteps(panel, view), w, h);
    case 'state-timeline':
    case 'status-history':
      return timeline(panel, series, inSteps(panel, view), w, h);
    case 'heatmap':
      return heatmap(panel, series, view, w, h);
    default:
      throw new Error(`no preview of a ${panel.type}`);
  }
}
