/** A pointer from one saved object to another, by the name that the attributes of the first use for it. */
export interface Reference {
  readonly type: SavedObjectType;
  readonly id: string;
  readonly name: string;
}

export type SavedObjectType = 'dashboard' | 'index-pattern' | 'search';

/** One line of an export file. Attributes whose name ends in JSON hold JSON as a string, as Kibana stores them. */
export interface SavedObject {
  readonly type: SavedObjectType;
  readonly id: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly references: readonly Reference[];
  readonly managed: false;
  readonly coreMigrationVersion: string;
  readonly typeMigrationVersion: string;
}

/** What Kibana 8.12 writes: a newer version is refused by it, an absent one runs migrations made for older shapes. */
const TYPE_VERSIONS: Readonly<Record<SavedObjectType, string>> = {
  dashboard: '8.9.0',
  'index-pattern': '8.0.0',
  search: '8.0.0',
};

/** A saved object in the shape that Kibana 8.12 exports and every later one up to 9.x imports. */
export function savedObject(object: Pick<SavedObject, 'attributes' | 'id' | 'references' | 'type'>): SavedObject {
  return {
    ...object,
    managed: false,
    coreMigrationVersion: '8.8.0',
    typeMigrationVersion: TYPE_VERSIONS[object.type],
  };
}
