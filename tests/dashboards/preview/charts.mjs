// Panels over time, drawn as SVG. `series` is [{name, labels, config, points: [[time, value], ...]}, ...], `view` is
// {start, end, step, alerts}.
import { colour, escape, hue, ink, palette, quantity, shown } from './format.mjs';

const LEFT = 62; // of a chart with an axis of values
const RIGHT = 10;
const clock = (t) => new Date(t * 1000).toISOString().slice(11, 19);

function element(tag, attributes, inside = '') {
  const list = Object.entries(attributes).map(([name, value]) => ` ${name.replace('_', '-')}="${value}"`);
  return `<${tag}${list.join('')}>${inside}</${tag}>`;
}
const svg = (width, height, inside) => element('svg', { width, height, viewBox: `0 0 ${width} ${height}` }, inside);
const line = (x1, y1, x2, y2, kind) => element('line', { x1, y1, x2, y2, class: kind });
const text = (x, y, anchor, words) => element('text', { x, y, class: 'axis', text_anchor: anchor }, escape(words));
const box = (x, y, width, height, fill, opacity) =>
  element('rect', { x, y, width, height, fill, fill_opacity: opacity });

function frame(view, w, h, left) {
  const x = (t) => left + ((t - view.start) / (view.end - view.start)) * (w - left - RIGHT);
  const bottom = h - 18;
  const marks = Math.max(2, Math.floor(w / 160));
  let drawn = '';
  for (let i = 0; i <= marks; ++i) {
    const t = view.start + ((view.end - view.start) * i) / marks;
    drawn += line(x(t), 4, x(t), bottom, 'grid') + text(Math.min(x(t), w - 28), h - 4, 'middle', clock(t));
  }
  for (const at of view.alerts ?? []) drawn += line(x(at), 4, x(at), bottom, 'alert');
  return { x, bottom, drawn };
}

export function lines(panel, series, view, w, h) {
  const { custom, ...defaults } = panel.fieldConfig.defaults;
  const stacked = custom.stacking.mode === 'normal';
  const colourOf = (s, i) => (s.config.color.mode === 'fixed' ? hue(s.config.color.fixedColor) : palette(i));
  const key = series.map((s, i) => ({ ...s, hue: colourOf(s, i) }));
  h -= 20 * Math.ceil(key.reduce((sum, s) => sum + 6.8 * s.name.length + 40, 0) / w);
  const { x, bottom, drawn } = frame(view, w, h, LEFT);
  const placed = onTop(key, stacked);
  const top = defaults.max ?? nice(Math.max(...placed.flatMap((s) => s.points.map(([, v]) => v)), 1e-9));
  const y = (v) => bottom - (Math.min(v, top) / top) * (bottom - 8);
  let out = drawn;
  for (let i = 0; i <= 4; ++i) {
    const v = (top * i) / 4;
    out += line(LEFT, y(v), w - RIGHT, y(v), 'grid');
    out += text(LEFT - 6, y(v) + 4, 'end', quantity({ ...defaults, decimals: undefined }, v));
  }
  const step = ((view.step * (w - LEFT - RIGHT)) / (view.end - view.start)) * 0.9;
  for (const s of placed) {
    if (custom.drawStyle === 'bars') {
      for (const [t, v, base] of s.points) out += box(x(t) - step / 2, y(v), step, y(base) - y(v), s.hue, 0.8);
      continue;
    }
    const at = ([t, v]) => `${x(t)},${y(v)}`;
    for (const run of custom.spanNulls ? [s.points] : runs(s.points, view.step)) {
      const below = run.map(([t, , base]) => [t, base]).reverse();
      out += stacked
        ? element('polygon', { points: [...run, ...below].map(at).join(' '), fill: s.hue, fill_opacity: 0.7 })
        : element('polyline', { points: run.map(at).join(' '), fill: 'none', stroke: s.hue, stroke_width: 2 });
    }
  }
  const names = key.map((s) => `<span class="key"><i style="background:${s.hue}"></i>${escape(s.name)}</span>`);
  return `${svg(w, h, out)}<div class="keys">${names.join('')}</div>`;
}

// Points as [time, top, base]: each series stands on those before it, or all on 0.
function onTop(series, stacked) {
  const sums = new Map();
  return series.map((s) => ({
    ...s,
    points: s.points
      .filter(([, v]) => Number.isFinite(v))
      .map(([t, v]) => {
        const base = stacked ? (sums.get(t) ?? 0) : 0;
        sums.set(t, base + v);
        return [t, base + v, base];
      }),
  }));
}

function nice(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * [1, 1.2, 1.6, 2, 2.5, 3, 4, 5, 6, 8, 10].find((m) => m * power >= value);
}

// Points without a gap between them.
function runs(points, step) {
  const out = [];
  for (const point of points) {
    if (!out.length || point[0] - out.at(-1).at(-1)[0] > step * 1.5) out.push([]);
    out.at(-1).push(point);
  }
  return out;
}

export function timeline(panel, series, view, w, h) {
  const left = Math.min(260, 12 + 6.6 * Math.max(8, ...series.map((s) => s.name.length)));
  const { x, bottom, drawn } = frame(view, w, h, left);
  const merge = panel.type === 'state-timeline';
  const high = Math.min(60, (bottom - 8) / Math.max(1, series.length));
  let out = drawn;
  series.forEach((s, row) => {
    const y = 6 + row * high;
    out += text(left - 6, y + high / 2 + 4, 'end', s.name);
    for (const block of blocks(s.points, merge, view.step)) {
      const x1 = x(block.from);
      const wide = Math.max(1, Math.min(x(block.end + view.step), w - RIGHT) - x1 - (merge ? 0 : 1));
      const words = shown(s.config, block.value);
      const paint = colour(s.config, block.value);
      out += box(x1, y + high * 0.06, wide, high * 0.86, paint, 0.9);
      const place = { x: x1 + 5, y: y + high / 2 + 4, fill: ink(paint), class: 'state' };
      if (wide > 7 * words.length + 4) out += element('text', place, escape(words));
    }
  });
  return svg(w, h, out);
}

// Points as {from, end, value}; equal ones that follow each other are one where `merge` says so.
function blocks(points, merge, step) {
  const out = [];
  for (const [t, value] of points.filter(([, v]) => !Number.isNaN(v))) {
    const last = out.at(-1);
    if (merge && last?.value === value && t - last.end <= step * 1.5) last.end = t;
    else out.push({ from: t, end: t, value });
  }
  return out;
}

// Cumulative buckets become counts of their own; every bucket that ever counted has a row, with those between them.
export function heatmap(panel, series, view, w, h) {
  const bounds = series
    .map((s) => [s.labels.le === '+Inf' ? Infinity : Number(s.labels.le), new Map(s.points)])
    .sort((a, b) => a[0] - b[0]);
  const own = ([le, points], i) => [le, [...points].map(([t, v]) => [t, v - (bounds[i - 1]?.[1].get(t) ?? 0)])];
  const rows = bounds.map(own);
  const used = rows.map(([, points]) => points.some(([, v]) => v > 1e-9));
  const kept = rows.slice(Math.max(0, used.indexOf(true) - 1), used.lastIndexOf(true) + 2);
  const { x, bottom, drawn } = frame(view, w, h, LEFT);
  const high = (bottom - 8) / Math.max(1, kept.length);
  const most = Math.max(...kept.flatMap(([, points]) => points.map(([, v]) => v)), 1e-9);
  const width = Math.max(1.5, (view.step * (w - LEFT - RIGHT)) / (view.end - view.start) - 1);
  let out = drawn;
  kept.forEach(([le, points], i) => {
    const y = bottom - (i + 1) * high;
    const named = kept.length < 20 || i % 2 === 0;
    if (named) out += text(LEFT - 6, y + high / 2 + 4, 'end', `≤ ${quantity(panel.fieldConfig.defaults, le)}`);
    for (const [t, v] of points.filter(([, count]) => count > 1e-9)) {
      const depth = (v / most) ** 0.5;
      const paint = `rgb(${255 - depth * 30},${150 - depth * 70},${100 - depth * 40})`;
      out += box(x(t), y, width, high - 1, paint, 0.25 + 0.75 * depth);
    }
  });
  return svg(w, h, out);
}
