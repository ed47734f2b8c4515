// Grafana's own types (@grafana/schema) and the compiler say whether the JSON is a dashboard, its panels and options included.
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
type Plain<T> = T extends string ? \`\${T}\` : T extends (infer I)[] ? Plain<I>[] : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;
// What the data source of Prometheus adds to an annotation.
type Note = AnnotationQuery<DataQuery & { expr: string; interval: string }> & { titleFormat: string; textFormat: string; tagKeys: string; useValueForTime: boolean };
type Whole = Plain<Omit<Dashboard, 'annotations'> & { annotations: { list: Note[] } }>;
`;

// Source text of a program that compiles only where every dashboard is one.
function program(all) {
  const kinds = Object.entries(KINDS)
    .map(
      ([, [room, name]]) =>
        `import type * as ${name} from '@grafana/schema/dist/esm/raw/composable/${room}/panelcfg/x/${name}PanelCfg_types.gen';\n`,
    )
    .join('');
  const checks = all.flatMap(({ json }, d) => [
    `export const dashboard${d}: Whole = ${JSON.stringify(json)};`,
    ...panels(json).map(
      (panel, p) =>
        `export const options${d}_${p}: Plain<${KINDS[panel.type][1]}.Options> = ${JSON.stringify(panel.options)};` +
        (panel.type === 'stat'
          ? ''
          : `\nexport const custom${d}_${p}: Plain<Partial<${KINDS[panel.type][1]}.FieldConfig>> = ${JSON.stringify(panel.fieldConfig.defaults.custom)};`),
    ),
  ]);
  return HEAD + kinds + checks.join('\n');
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
  return ts
    .getPreEmitDiagnostics(ts.createProgram([name], options, host))
    .map(
      (d) =>
        `${d.start === undefined ? '' : source.text.slice(d.start, d.start + 60)}: ${ts.flattenDiagnosticMessageText(d.messageText, ' ').slice(0, 300)}`,
    );
}
