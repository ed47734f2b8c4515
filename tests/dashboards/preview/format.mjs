// Numbers, names and colours as panels show them; the part of Grafana's rules that the dashboards here use.
export const HUES = {
  green: '#73bf69',
  yellow: '#fade2a',
  orange: '#ff9830',
  red: '#f2495c',
  'dark-red': '#c4162a',
  blue: '#5794f2',
  purple: '#b877d9',
  text: '#ccccdc',
};
const PALETTE = [
  '#73bf69',
  '#f2cc0c',
  '#8ab8ff',
  '#ff780a',
  '#f2495c',
  '#5794f2',
  '#b877d9',
  '#705da0',
  '#37872d',
  '#fade2a',
  '#447ebc',
  '#c15c17',
];

export const hue = (name) => HUES[name] ?? name;
export const palette = (index) => PALETTE[index % PALETTE.length];
export const escape = (text) =>
  String(text).replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]);

// Black or white, whichever is read better on a colour.
export function ink(colour) {
  if (colour === 'transparent') return HUES.text;
  const [r, g, b] = hue(colour)
    .match(/\w\w/g)
    .map((x) => parseInt(x, 16));
  return 0.3 * r + 0.59 * g + 0.11 * b > 130 ? '#111' : '#fff';
}

// The field configuration for one series or column: defaults, then overrides whose matcher fits its name.
export function field(panel, name) {
  const made = structuredClone(panel.fieldConfig.defaults);
  for (const { matcher, properties } of panel.fieldConfig.overrides) {
    const fits =
      matcher.id === 'byName'
        ? matcher.options === name
        : matcher.id === 'byRegexp' && new RegExp(matcher.options).test(name);
    if (fits)
      for (const { id, value } of properties) {
        const path = id.split('.');
        const last = path.pop();
        path.reduce((at, key) => (at[key] ??= {}), made)[last] = value;
      }
  }
  return made;
}

const mapped = (config, value) =>
  config.mappings?.find((m) => m.type === 'value' && m.options[String(value)])?.options[String(value)];

export function shown(config, value, now) {
  const found = mapped(config, value);
  return found?.text !== undefined && found.text !== '' ? found.text : found ? '' : quantity(config, value, now);
}

export function colour(config, value) {
  const found = mapped(config, value)?.color;
  if (found) return hue(found);
  if (config.color?.mode === 'fixed') return hue(config.color.fixedColor);
  if (config.color?.mode?.startsWith('continuous'))
    return redToGreen((value - (config.min ?? 0)) / ((config.max ?? 1) - (config.min ?? 0)));
  const step = config.thresholds.steps.filter((s) => s.value === null || value >= s.value).at(-1);
  return hue(step.color);
}

export function redToGreen(ratio) {
  const stops = [
    [242, 73, 92],
    [250, 222, 42],
    [115, 191, 105],
  ];
  const at = Math.min(Math.max(ratio, 0), 1) * 2;
  const [a, b] = [stops[Math.floor(Math.min(at, 1.999))], stops[Math.min(Math.floor(at) + 1, 2)]];
  const part = at - Math.floor(Math.min(at, 1.999));
  return (
    '#' +
    a
      .map((x, i) =>
        Math.round(x + (b[i] - x) * part)
          .toString(16)
          .padStart(2, '0'),
      )
      .join('')
  );
}

const short = (value, decimals) =>
  String(Number(value.toFixed(decimals ?? (Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2))));
function scaled(value, units, base, decimals) {
  let at = 0;
  while (Math.abs(value) >= base && at < units.length - 1) {
    value /= base;
    at += 1;
  }
  return `${short(value, decimals)}${units[at]}`;
}

export function quantity(config, value, now) {
  const { unit, decimals } = config;
  if (value === undefined || Number.isNaN(value)) return '';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '-∞';
  switch (unit) {
    case 'percentunit':
      return `${short(value * 100, decimals ?? 0)} %`;
    case 's':
      return duration(value, decimals);
    case 'bytes':
      return scaled(value, [' B', ' KiB', ' MiB', ' GiB'], 1024, decimals);
    case 'Bps':
      return scaled(value, [' B/s', ' kB/s', ' MB/s'], 1000, decimals);
    case 'pps':
      return `${short(value, decimals)} p/s`;
    case 'ops':
      return `${short(value, decimals)} ops/s`;
    case 'reqps':
      return `${short(value, decimals)} req/s`;
    case 'dateTimeFromNow':
      return ago(now - value / 1000);
    default:
      return unit === 'short' ? scaled(value, ['', ' K', ' Mil'], 1000, decimals) : short(value, decimals);
  }
}

function duration(value, decimals) {
  if (value === 0) return '0 s';
  if (Math.abs(value) < 0.001) return `${short(value * 1e6, decimals)} µs`;
  if (Math.abs(value) < 1) return `${short(value * 1000, decimals)} ms`;
  if (Math.abs(value) < 120) return `${short(value, decimals)} s`;
  return Math.abs(value) < 7200 ? `${short(value / 60, decimals ?? 1)} min` : `${short(value / 3600, decimals ?? 1)} h`;
}

function ago(seconds) {
  if (seconds < 45) return 'a few seconds ago';
  if (seconds < 90) return 'a minute ago';
  return seconds < 2700 ? `${Math.round(seconds / 60)} minutes ago` : `${Math.round(seconds / 3600)} hours ago`;
}

export function legend(target, labels) {
  if (target.legendFormat && target.legendFormat !== '__auto')
    return target.legendFormat.replace(/\{\{(\w+)\}\}/g, (_, name) => labels[name] ?? '').trim();
  return (
    Object.entries(labels)
      .map(([name, value]) => `${name}="${value}"`)
      .join(', ') || target.expr
  );
}
