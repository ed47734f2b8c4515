// Grafana's own types (@grafana/schema) and the compiler say whether the JSON is a dashboard, its panels and their options
// included.
import { load, panels } from './dashboards.mjs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const KINDS = {
  timeseries: ['timeseries', 'TimeSeries'],
  'state-timeline': ['statetimeline', 'StateTimeline'],
  'status-history': ['statushistory', 'StatusHistory'],
  heatmap: ['heatmap', 'Heatmap'],
  table: ['table', 'Table'],
  stat: ['stat', 'Stat'],
};
const HERE = fileURLToPath(new URL('.', import.meta.url));

// JSON has strings where the types have enumerations of them.
const HEAD = `import type { AnnotationQuery, Dashboard, DataQuery } from '@grafana/schema';
type Plain<T> = T extends string ? \`\${T}\` : T extends (infer I)[] ? Plain<I>[] : T extends object ? Members<T> : T;
type Members<T> = { [K in keyof T]: Plain<T[K]> };
// What the data source of Prometheus adds to an annotation.
type Words = { titleFormat: string; textFormat: string; tagKeys: string; useValueForTime: boolean };
type Note = AnnotationQuery<DataQuery & { expr: string; interval: string }> & Words;
type Whole = Plain<Omit<Dashboard, 'annotations'> & { annotations: { list: Note[] } }>;
`;

const COMPOSABLE = '@grafana/schema/dist/esm/raw/composable';

// Source text of a program that compiles only where every dashboard is one.
function program(all) {
  const imports = Object.values(KINDS).map(
    ([room, name]) => `import type * as ${name} from '${COMPOSABLE}/${room}/panelcfg/x/${name}PanelCfg_types.gen';`,
  );
  const checks = all.flatMap(({ json }, d) => [
    `export const dashboard${d}: Whole = ${JSON.stringify(json)};`,
    ...panels(json).flatMap((panel, p) => ofPanel(panel, `${d}_${p}`)),
  ]);
  return [HEAD, ...imports, ...checks].join('\n');
}

function ofPanel({ type, options, fieldConfig }, id) {
  const name = KINDS[type][1];
  const custom = JSON.stringify(fieldConfig.defaults.custom);
  return [
    `export const options${id}: Plain<${name}.Options> = ${JSON.stringify(options)};`,
    // Single values have no configuration of their own.
    ...(type === 'stat' ? [] : [`export const custom${id}: Plain<Partial<${name}.FieldConfig>> = ${custom};`]),
  ];
}

export function typeErrors(all = load()) {
  const name = `${HERE}dashboards-as-types.ts`;
  const source = ts.createSourceFile(name, program(all), ts.ScriptTarget.ES2022, true);
  const options = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    module: ts.ModuleKind.ESNext,
    target: ts.ScriptTarget.ES2022,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.getSourceFile = (file, ...more) => (file === name ? source : getSourceFile.call(host, file, ...more));
  host.fileExists = (file) => file === name || fileExists.call(host, file);
  const say = ({ start, messageText }) =>
    `${source.text.slice(start ?? 0, (start ?? 0) + 60)}: ${ts.flattenDiagnosticMessageText(messageText, ' ').slice(0, 300)}`;
  return ts.getPreEmitDiagnostics(ts.createProgram([name], options, host)).map(say);
}
