import { expect, it } from 'vitest';
import { LOG_MAPPINGS } from '../../proxy-manager/src/log/log-mappings.js';
import { RECORDS } from '../src/lens/column.js';
import type { Column } from '../src/lens/column.js';
import { savedObjects } from '../src/saved-objects.js';
import { usedFields } from '../src/used-fields.js';
import { decodedDashboards, lensPanels } from './support/decoded.js';
import { fieldsOf, parseKql } from './support/kql.js';

interface Mapping {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Mapping>>;
}

/** The type of a field in the template that the library installs. */
function typeOf(field: string): string | undefined {
  let mapping: Mapping | undefined = LOG_MAPPINGS;
  for (const name of field.split('.')) mapping = mapping?.properties?.[name];
  return mapping?.type;
}

const NUMBERS = ['long', 'float'];
const BY_DATA_TYPE = { date: ['date'], number: NUMBERS, string: ['keyword'] };

function fitting({ operationType, dataType }: Column): readonly string[] {
  switch (operationType) {
    case 'terms':
    case 'last_value':
    case 'date_histogram':
      return BY_DATA_TYPE[dataType];
    case 'unique_count':
      return ['keyword'];
    default:
      return NUMBERS;
  }
}

const columns = lensPanels().flatMap(({ name, layer }) =>
  Object.values(layer.columns).map((column) => ({ name: `${name}: ${column.label}`, column })),
);

it('computes over fields of the shipped template, each of a fitting type', () => {
  const wrong = columns.filter(
    ({ column: { sourceField, ...column } }) =>
      sourceField !== undefined && sourceField !== RECORDS && !fitting(column).includes(typeOf(sourceField) ?? ''),
  );
  expect(wrong).toEqual([]);
});

it('asks in every query for fields of the shipped template, in words of a fitting type', () => {
  const queries = [
    ...lensPanels().map(({ where }) => where),
    ...columns.flatMap(({ column }) => column.filter?.query ?? []),
    ...searches().map(({ source }) => source.query.query),
  ];
  for (const query of queries) {
    for (const field of fieldsOf(parseKql(query))) expect(typeOf(field), `${field} in ${query}`).toBeDefined();
  }
});

it('lists, formats, names and filters by fields of the shipped template', () => {
  const dataView = savedObjects().find(({ type }) => type === 'index-pattern');
  const fields = [
    ...Object.keys(JSON.parse(String(dataView?.attributes['fieldFormatMap'])) as object),
    ...Object.keys(JSON.parse(String(dataView?.attributes['fieldAttrs'])) as object),
    ...searches().flatMap(({ columns: listed }) => listed),
    ...decodedDashboards().flatMap(({ controls }) =>
      Object.values(controls).map(({ explicitInput }) => explicitInput.fieldName),
    ),
  ];
  expect(fields.filter((field) => typeOf(field) === undefined)).toEqual([]);
});

it('gives a unit to every number of the template that has one', () => {
  const dataView = savedObjects().find(({ type }) => type === 'index-pattern');
  const formats = JSON.parse(String(dataView?.attributes['fieldFormatMap'])) as Record<string, unknown>;
  const measured = paths(LOG_MAPPINGS).filter((path) => /_ms$|_s$|duration$/.test(path));
  expect(measured.filter((path) => formats[path] === undefined)).toEqual([]);
});

it('knows by itself which fields it uses', () => {
  const used = [
    ...columns.flatMap(({ column }) => column.sourceField ?? []),
    ...lensPanels().flatMap(({ where }) => fieldsOf(parseKql(where))),
    ...columns.flatMap(({ column }) => fieldsOf(parseKql(column.filter?.query ?? ''))),
    ...searches().flatMap(({ columns: listed, source }) => [...listed, ...fieldsOf(parseKql(source.query.query))]),
    ...decodedDashboards().flatMap(({ controls }) =>
      Object.values(controls).map(({ explicitInput }) => explicitInput.fieldName),
    ),
  ];
  const expected = new Set(used);
  expected.delete(RECORDS);
  expect(usedFields()).toEqual([...expected].toSorted());
});

function paths({ properties = {} }: Mapping, prefix = ''): string[] {
  return Object.entries(properties).flatMap(([name, mapping]) =>
    mapping.properties === undefined ? [prefix + name] : paths(mapping, `${prefix}${name}.`),
  );
}

interface Search {
  readonly columns: readonly string[];
  readonly source: { readonly query: { readonly query: string } };
}

function searches(): Search[] {
  return savedObjects()
    .filter(({ type }) => type === 'search')
    .map(({ attributes }) => ({
      columns: attributes['columns'] as string[],
      source: JSON.parse(
        (attributes['kibanaSavedObjectMeta'] as { readonly searchSourceJSON: string }).searchSourceJSON,
      ) as Search['source'],
    }));
}
