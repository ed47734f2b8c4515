// One page for one dashboard: its panels where their grid says, from answers of a real Prometheus. It is no Grafana, and says so.
import { escape, field, legend } from './format.mjs';
import { heatmap, lines, timeline } from './charts.mjs';
import { inSteps } from '../variables.mjs';
import { stat, table } from './tables.mjs';

export const WIDTH = 1600;
const COLUMN = (WIDTH - 8) / 24;
const ROW = 36;

const STYLE = `
body{margin:0;background:#111217;color:#ccccdc;font:13px Inter,"DejaVu Sans",sans-serif;width:${WIDTH}px}
header{padding:8px 12px;background:#181b1f;display:flex;gap:18px;align-items:baseline}header b{font-size:17px}header em{color:#ff9830;margin-left:auto}
main{position:relative}section{position:absolute;background:#181b1f;border:1px solid #2c2e35;box-sizing:border-box;overflow:hidden}
section h2{font-size:13px;font-weight:600;margin:5px 9px 3px}.row{background:none;border:0}.row h2{font-size:15px;color:#fff}
.grid{stroke:#2a2d34;stroke-width:1}.alert{stroke:#f2495c;stroke-dasharray:3 4}.axis{fill:#9aa0ac;font-size:11px}.state{font-size:12px;font-weight:600}
.keys{padding:0 10px;line-height:18px;white-space:normal}.key{margin-right:14px;white-space:nowrap;font-size:12px}.key i{display:inline-block;width:14px;height:4px;margin:0 5px 3px 0}
table{border-collapse:collapse;width:100%;table-layout:fixed}th{box-sizing:border-box;text-align:left;color:#6e9fff;font-weight:600;padding:5px 7px;border-bottom:1px solid #2c2e35;overflow:hidden}
td{padding:6px 7px;border-bottom:1px solid #24262c;overflow:hidden;white-space:nowrap;text-overflow:ellipsis;vertical-align:top}td.wrap{white-space:normal}td.link{color:#6e9fff;text-decoration:underline}
.stats{display:flex;gap:4px;padding:0 4px}.stat{display:flex;flex-direction:column;justify-content:center;align-items:center;border-radius:2px}.stat b{font-size:26px}
.none{color:#9aa0ac;text-align:center;padding-top:20px}`;

// panels: [{panel, answers, values}] with `answers` of each target as range() or instant() of Prometheus give them.
export function page(json, panels, view, subtitle) {
  const height = Math.max(...panels.map(({ panel: { gridPos: g } }) => g.y + g.h)) * ROW;
  const drawn = panels
    .map(({ panel, answers, values }) => {
      const { x, y, w, h } = panel.gridPos;
      const title = panel.title.replace(/\$(\w+)/g, (whole, name) => values[name] ?? whole);
      const [wide, high] = [w * COLUMN - 6, h * ROW - 6];
      const inside = panel.type === 'row' ? '' : draw(panel, answers, view, wide - 4, high - 28);
      return `<section class="${panel.type === 'row' ? 'row' : ''}" style="left:${4 + x * COLUMN}px;top:${4 + y * ROW}px;width:${wide}px;height:${high}px">
      <h2>${panel.type === 'row' ? '▾ ' : ''}${escape(title)}</h2>${inside}</section>`;
    })
    .join('\n');
  return `<!doctype html><meta charset="utf-8"><title>${escape(json.title)}: preview, not Grafana</title><style>${STYLE}</style>
<header><b>${escape(json.title)}</b><span>${escape(subtitle)}</span><em>preview, not Grafana: drawn by tests/dashboards from the lab's Prometheus</em></header>
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
