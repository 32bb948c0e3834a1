import { savedObjects } from './saved-objects.js';

/** The export file: one saved object a line, as Kibana's own import takes it. */
export function ndjson(): string {
  return savedObjects()
    .map((object) => `${JSON.stringify(object)}\n`)
    .join('');
}
