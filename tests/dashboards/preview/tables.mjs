// Tables and single values, as HTML. Answers are [[labels, value], ...] for each target.
import { colour, escape, field, ink, quantity, shown } from './format.mjs';

// Rows after the panel's transformations, as [{column: value}], and the columns in their order.
export function rowsOf(panel, answers) {
  const name = (index) => (answers.length > 1 ? `Value #${String.fromCharCode(65 + index)}` : 'Value');
  const merged = new Map();
  answers.forEach((answer, index) =>
    answer.forEach(([labels, value]) => {
      const { __name__, ...rest } = labels;
      const key = JSON.stringify(Object.entries(rest).sort());
      merged.set(key, { ...(merged.get(key) ?? rest), [name(index)]: value });
    }),
  );
  let rows = [...merged.values()];
  for (const { id, options } of panel.transformations ?? []) {
    if (id === 'organize') rows = rows.map((row) => organized(row, options));
    if (id === 'groupingToMatrix') rows = matrix(rows, options);
  }
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const order = panel.transformations?.find((t) => t.id === 'organize')?.options;
  if (order) columns.sort((a, b) => place(order, a) - place(order, b));
  const sort = panel.options.sortBy?.[0];
  if (sort) rows.sort((a, b) => ((a[sort.displayName] ?? 0) - (b[sort.displayName] ?? 0)) * (sort.desc ? -1 : 1));
  return { rows, columns };
}

const organized = (row, { excludeByName, renameByName }) =>
  Object.fromEntries(
    Object.entries(row)
      .filter(([key]) => !excludeByName[key])
      .map(([key, value]) => [renameByName[key] ?? key, value]),
  );
const place = ({ indexByName, renameByName }, title) =>
  indexByName[Object.keys(renameByName).find((key) => renameByName[key] === title) ?? title] ?? 99;

function matrix(rows, { rowField, columnField, valueField }) {
  const corner = `${rowField}\\${columnField}`;
  const columns = [...new Set(rows.map((row) => row[columnField]))];
  return [...new Set(rows.map((row) => row[rowField]))].map((key) => ({
    [corner]: key,
    ...Object.fromEntries(
      columns.map((column) => [
        column,
        rows.find((row) => row[rowField] === key && row[columnField] === column)?.[valueField] ?? 0,
      ]),
    ),
  }));
}

export function table(panel, answers, now) {
  const { rows, columns } = rowsOf(panel, answers);
  const configs = columns.map((column) => field(panel, column));
  const head = columns
    .map(
      (column, i) =>
        `<th style="${configs[i].custom.width ? `width:${configs[i].custom.width}px` : ''}">${escape(column)}</th>`,
    )
    .join('');
  const body = rows
    .map((row) => `<tr>${columns.map((column, i) => cell(configs[i], row[column], now)).join('')}</tr>`)
    .join('');
  return `<table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>`;
}

function cell(config, value, now) {
  if (value === undefined) return '<td></td>';
  if (typeof value === 'string') return `<td class="${config.links?.length ? 'link' : ''}">${escape(value)}</td>`;
  const painted =
    config.custom.cellOptions.type === 'color-background'
      ? `background:${colour(config, value)};color:${ink(colour(config, value))}`
      : '';
  return `<td style="${painted}" class="${config.custom.wrapText ? 'wrap' : ''}">${escape(shown(config, value, now))}</td>`;
}

// `series` is [{name, config, points: value}, ...].
export function stat(series, w, h, now) {
  const wide = Math.floor(w / Math.max(1, series.length)) - 4;
  const boxes = series.map(({ name, config, points: value }) => {
    const paint = colour(config, value);
    const title = series.length > 1 ? `<small>${escape(name)}</small>` : '';
    return `<div class="stat" style="background:${paint};color:${ink(paint)};width:${wide}px;height:${h - 6}px">
      ${title}<b>${escape(shown(config, value, now))}</b></div>`;
  });
  return `<div class="stats">${boxes.join('')}</div>`;
}
