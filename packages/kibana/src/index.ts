export { ndjson } from './ndjson.js';
export { savedObjects } from './saved-objects.js';
export type { Reference, SavedObject, SavedObjectType } from './saved-object.js';
