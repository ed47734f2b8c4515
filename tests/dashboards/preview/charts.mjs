// Panels over time, drawn as SVG. `series` is [{name, config, points: [[time, value], ...]}, ...], `view` {start, end, step, alerts}.
import { colour, escape, hue, ink, palette, quantity, shown } from './format.mjs';

const clock = (t) => new Date(t * 1000).toISOString().slice(11, 19);
const svg = (w, h, inside) => `<svg width="${w}" height="${h}" viewBox="0 0 ${w} ${h}">${inside}</svg>`;

function frame(view, w, h, left) {
  const x = (t) => left + ((t - view.start) / (view.end - view.start)) * (w - left - 10);
  const bottom = h - 18;
  const marks = Math.max(2, Math.floor(w / 160));
  let drawn = '';
  for (let i = 0; i <= marks; ++i) {
    const t = view.start + ((view.end - view.start) * i) / marks;
    drawn += `<line x1="${x(t)}" x2="${x(t)}" y1="4" y2="${bottom}" class="grid"/><text x="${Math.min(x(t), w - 28)}" y="${h - 4}" class="axis" text-anchor="middle">${clock(t)}</text>`;
  }
  for (const at of view.alerts ?? [])
    drawn += `<line x1="${x(at)}" x2="${x(at)}" y1="4" y2="${bottom}" class="alert"/>`;
  return { x, bottom, drawn };
}

export function lines(panel, series, view, w, h) {
  const custom = panel.fieldConfig.defaults.custom;
  const stacked = custom.stacking.mode === 'normal';
  const key = series.map((s, i) => ({
    ...s,
    hue: s.config.color.mode === 'fixed' ? hue(s.config.color.fixedColor) : palette(i),
  }));
  h -= 20 * Math.ceil(key.reduce((sum, s) => sum + 6.8 * s.name.length + 40, 0) / w);
  const { x, bottom, drawn } = frame(view, w, h, 62);
  const sums = new Map();
  const placed = key.map((s) => ({
    ...s,
    points: s.points
      .filter(([, v]) => Number.isFinite(v))
      .map(([t, v]) => {
        const base = stacked ? (sums.get(t) ?? 0) : 0;
        if (stacked) sums.set(t, base + v);
        return [t, base + v, base];
      }),
  }));
  const values = placed.flatMap((s) => s.points.map(([, v]) => v));
  const top = panel.fieldConfig.defaults.max ?? nice(Math.max(...values, 1e-9));
  const y = (v) => bottom - (Math.min(v, top) / top) * (bottom - 8);
  let out = drawn;
  for (let i = 0; i <= 4; ++i) {
    const v = (top * i) / 4;
    out += `<line x1="62" x2="${w - 10}" y1="${y(v)}" y2="${y(v)}" class="grid"/><text x="56" y="${y(v) + 4}" class="axis" text-anchor="end">${escape(quantity({ ...panel.fieldConfig.defaults, decimals: undefined }, v))}</text>`;
  }
  for (const s of placed) {
    if (custom.drawStyle === 'bars') {
      const width = Math.max(2, ((view.step * (w - 72)) / (view.end - view.start)) * 0.9);
      for (const [t, v, base] of s.points)
        out += `<rect x="${x(t) - width / 2}" y="${y(v)}" width="${width}" height="${Math.max(0, y(base) - y(v))}" fill="${s.hue}" fill-opacity="0.8"/>`;
      continue;
    }
    for (const run of runs(s.points, view.step)) {
      if (stacked)
        out += `<path d="M${run.map(([t, v]) => `${x(t)},${y(v)}`).join('L')}L${[...run]
          .reverse()
          .map(([t, , b]) => `${x(t)},${y(b)}`)
          .join('L')}Z" fill="${s.hue}" fill-opacity="0.7"/>`;
      else
        out += `<polyline points="${run.map(([t, v]) => `${x(t)},${y(v)}`).join(' ')}" fill="none" stroke="${s.hue}" stroke-width="2"/>`;
    }
  }
  const names = key
    .map((s) => `<span class="key"><i style="background:${s.hue}"></i>${escape(s.name)}</span>`)
    .join('');
  return `${svg(w, h, out)}<div class="keys">${names}</div>`;
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
    out += `<text x="${left - 6}" y="${y + high / 2 + 4}" class="axis" text-anchor="end">${escape(s.name)}</text>`;
    const blocks = [];
    for (const [t, v] of s.points) {
      if (Number.isNaN(v)) continue;
      const last = blocks.at(-1);
      if (merge && last && last.value === v && t - last.end <= view.step * 1.5) last.end = t;
      else blocks.push({ from: t, end: t, value: v });
    }
    for (const block of blocks) {
      const [x1, x2] = [x(block.from), Math.min(x(block.end + view.step), w - 10)];
      const text = shown(s.config, block.value);
      const paint = colour(s.config, block.value);
      out += `<rect x="${x1}" y="${y + high * 0.06}" width="${Math.max(1, x2 - x1 - (merge ? 0 : 1))}" height="${high * 0.86}" fill="${paint}" fill-opacity="0.9"/>`;
      if (x2 - x1 > 7 * text.length + 4)
        out += `<text x="${x1 + 5}" y="${y + high / 2 + 4}" fill="${ink(paint)}" class="state">${escape(text)}</text>`;
    }
  });
  return svg(w, h, out);
}

// Cumulative buckets become counts of their own; every bucket that ever counted has a row, with those between them.
export function heatmap(panel, series, view, w, h) {
  const bounds = series
    .map((s) => [s.labels.le === '+Inf' ? Infinity : Number(s.labels.le), new Map(s.points)])
    .sort((a, b) => a[0] - b[0]);
  const rows = bounds.map(([le, points], i) => [
    le,
    new Map([...points].map(([t, v]) => [t, v - (bounds[i - 1]?.[1].get(t) ?? 0)])),
  ]);
  const used = rows.map(([, points]) => [...points.values()].some((v) => v > 1e-9));
  const kept = rows.slice(Math.max(0, used.indexOf(true) - 1), used.lastIndexOf(true) + 2);
  const { x, bottom, drawn } = frame(view, w, h, 62);
  const high = (bottom - 8) / Math.max(1, kept.length);
  const most = Math.max(...kept.flatMap(([, points]) => [...points.values()]), 1e-9);
  const width = Math.max(1.5, (view.step * (w - 72)) / (view.end - view.start) - 1);
  let out = drawn;
  kept.forEach(([le, points], i) => {
    const y = bottom - (i + 1) * high;
    if (kept.length < 20 || i % 2 === 0)
      out += `<text x="56" y="${y + high / 2 + 4}" class="axis" text-anchor="end">≤ ${escape(quantity(panel.fieldConfig.defaults, le))}</text>`;
    for (const [t, v] of points)
      if (v > 1e-9) {
        const depth = (v / most) ** 0.5;
        out += `<rect x="${x(t)}" y="${y}" width="${width}" height="${high - 1}" fill="rgb(${255 - depth * 30},${150 - depth * 70},${60 + (1 - depth) * 40})" fill-opacity="${0.25 + 0.75 * depth}"/>`;
      }
  });
  return svg(w, h, out);
}
