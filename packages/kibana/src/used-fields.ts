import { savedObjects } from './saved-objects.js';

/** Every field that the objects show, compute with or filter by, sorted. */
export function usedFields(): readonly string[] {
  const found = new Set<string>();
  for (const { attributes } of savedObjects()) collect(attributes, found);
  return [...found].toSorted();
}

function collect(value: unknown, into: Set<string>): void {
  if (Array.isArray(value)) for (const inner of value) collect(inner, into);
  else if (typeof value === 'object' && value !== null) {
    for (const [name, inner] of Object.entries(value) as [string, unknown][]) {
      if (name.endsWith('JSON') && typeof inner === 'string') collect(JSON.parse(inner), into);
      else if ((name === 'sourceField' || name === 'fieldName') && typeof inner === 'string') into.add(inner);
      else if (name === 'columns' && isStrings(inner)) for (const field of inner) into.add(field);
      else if (name === 'query' && typeof inner === 'string') for (const field of fieldsOf(inner)) into.add(field);
      else collect(inner, into);
    }
  }
  into.delete('___records___');
}

/** The columns of a saved search are names of fields. */
function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

/** The names that stand before a colon or a comparison in KQL, quoted or not. */
function fieldsOf(kql: string): string[] {
  return [...kql.matchAll(/"?([\w@.]+)"?\s*(?::|[<>]=?)/g)].flatMap(([, field]) => field ?? []);
}
