// The dashboards as they are committed, and what is in them.
import { readFileSync, readdirSync } from 'node:fs';

export const ROOT = new URL('../../', import.meta.url);
export const text = (path) => readFileSync(new URL(path, ROOT), 'utf8');

export function load() {
  return readdirSync(new URL('dashboards/', ROOT))
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((file) => ({ file, json: JSON.parse(text(`dashboards/${file}`)) }));
}

export const panels = (json) => json.panels.filter((panel) => panel.type !== 'row');

// Every query of a dashboard: those of panels, and of annotations.
export function targets(json) {
  return [
    ...panels(json).flatMap((panel) =>
      (panel.targets ?? []).map((target) => ({ panel, target, where: `"${panel.title}" ${target.refId}` })),
    ),
    ...json.annotations.list.map((note) => ({ target: note.target, where: `annotation "${note.name}"` })),
  ];
}

export const variables = (json) => json.templating.list;
