import type { Column } from '../../../packages/kibana/src/lens/column.js';
import { RECORDS } from '../../../packages/kibana/src/lens/column.js';
import type { LensPanel } from '../../../packages/kibana/test/support/decoded.js';
import type { Query } from '../../../packages/kibana/test/support/kql.js';
import { parseKql } from '../../../packages/kibana/test/support/kql.js';
import { BAR_MS, MISSING, pathOf } from './figures.js';
import type { Document } from './workload.js';

/** The value of a dotted field of a document. */
export function valueAt(document: Document, field: string): unknown {
  let value: unknown = document;
  for (const name of field.split('.')) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Document)[name];
  }
  return value;
}

/** Whether a document is what a query asks for. */
export function matches(document: Document, query: Query): boolean {
  if (query.kind === 'all') return true;
  if (query.kind === 'not') return !matches(document, query.part);
  if ('parts' in query) {
    const { kind, parts } = query;
    return kind === 'and'
      ? parts.every((part) => matches(document, part))
      : parts.some((part) => matches(document, part));
  }
  const value = valueAt(document, query.field);
  if (value === undefined) return false;
  if (query.kind === 'exists') return true;
  if (query.kind === 'is') return `${value as number | string}` === query.value;
  const number = Number(value);
  const { operator, bound } = query;
  if (operator === '<') return number < bound;
  if (operator === '<=') return number <= bound;
  return operator === '>' ? number > bound : number >= bound;
}

function where(documents: readonly Document[], kql: string): Document[] {
  const query = parseKql(kql);
  return documents.filter((document) => matches(document, query));
}

/** The figures of a panel, by a plain computation over the documents. A percentile is the sorted values themselves. */
export function plainFigures(documents: readonly Document[], panel: LensPanel): Map<string, Record<string, Plain>> {
  const { columns, columnOrder } = panel.layer;
  const buckets = columnOrder.flatMap((id) => (columns[id]?.isBucketed ? [columns[id]] : []));
  const groups = new Map<string, Document[]>();
  // Without a bucket there is always the one of everything.
  if (buckets.length === 0) groups.set('', []);
  for (const document of where(documents, panel.where)) {
    const keys = buckets.map((column) => keyOf(document, column));
    if (keys.includes(undefined)) continue;
    const path = pathOf(keys);
    groups.set(path, [...(groups.get(path) ?? []), document]);
  }
  return new Map(
    [...groups].map(([path, group]) => [
      path,
      Object.fromEntries(
        Object.entries(columns).flatMap(([id, column]) => {
          if (column.isBucketed || column.operationType === 'math') return [];
          if (column.operationType === 'formula') return [[id, evaluate(String(column.params?.['formula']), group)]];
          return [[id, aggregate(column, where(group, column.filter?.query ?? ''))]];
        }),
      ),
    ]),
  );
}

export type Plain = number | string | null | readonly number[];

function keyOf(document: Document, { operationType, sourceField = '', params = {} }: Column): unknown {
  const value = valueAt(document, sourceField) ?? (params['missingBucket'] === true ? MISSING : undefined);
  return operationType === 'date_histogram' ? Math.floor(Date.parse(value as string) / BAR_MS) * BAR_MS : value;
}

function aggregate(column: Column, documents: readonly Document[]): Plain {
  const { operationType, sourceField = '' } = column;
  if (sourceField === RECORDS) return documents.length;
  const values = documents.map((document) => valueAt(document, sourceField)).filter((value) => value !== undefined);
  const numbers = values.map(Number).toSorted((a, b) => a - b);
  switch (operationType) {
    case 'sum':
      return numbers.reduce((total, value) => total + value, 0);
    case 'min':
      return numbers[0] ?? null;
    case 'max':
      return numbers.at(-1) ?? null;
    case 'unique_count':
      return new Set(values).size;
    case 'percentile':
      return numbers;
    case 'last_value':
      return newest(documents, sourceField);
    default:
      throw new Error(`no computation for ${operationType}`);
  }
}

function newest(documents: readonly Document[], field: string): number | string | null {
  const age = (document: Document): string =>
    `${String(valueAt(document, '@timestamp'))} ${String(valueAt(document, 'event.id'))}`;
  const [last] = documents
    .filter((document) => valueAt(document, field) !== undefined)
    .toSorted((a, b) => (age(a) < age(b) ? 1 : -1));
  return last === undefined ? null : (valueAt(last, field) as number | string);
}

/** Computes the text of a formula, as Kibana from 9.2 on does; the helper columns are not looked at. */
function evaluate(text: string, documents: readonly Document[]): number | null {
  const tokens = text.match(/[a-z_]+\((?:'[^']*'|[^()'])*\)|[()+/]/g) ?? [];
  let at = 0;
  function product(): number | null {
    let left = operand();
    while (tokens[at] === '/') {
      at += 1;
      const right = operand();
      left = left === null || right === null || right === 0 ? null : left / right;
    }
    return left;
  }
  function sum(): number | null {
    let left = product();
    while (tokens[at] === '+') {
      at += 1;
      const right = product();
      left = left === null || right === null ? null : left + right;
    }
    return left;
  }
  function operand(): number | null {
    const token = tokens[at++] ?? '';
    if (token !== '(') return call(token, documents);
    const inner = sum();
    if (tokens[at++] !== ')') throw new Error(`not closed: ${text}`);
    return inner;
  }
  const result = sum();
  if (at !== tokens.length) throw new Error(`not understood: ${text}`);
  return result;
}

function call(token: string, documents: readonly Document[]): number | null {
  const parts = /^([a-z_]+)\(([^,')=]*)?(?:,\s*)?(?:kql='([^']*)')?\)$/.exec(token);
  if (parts === null) throw new Error(`not understood: ${token}`);
  const [, operationType = '', field = '', kql = ''] = parts;
  const sourceField = operationType === 'count' ? RECORDS : field;
  const value = aggregate({ operationType, sourceField } as Column, where(documents, kql));
  return typeof value === 'number' ? value : null;
}

/** What Elasticsearch may say for what was computed: a percentile it may place between two neighbours of its rank. */
export function agrees(told: number | string | null | undefined, plain: Plain, column: Column | undefined): boolean {
  if (typeof plain === 'object' && plain !== null) {
    if (plain.length === 0) return told === null;
    const rank = (Number(column?.params?.['percentile']) / 100) * (plain.length - 1);
    const low = plain[Math.max(0, Math.floor(rank) - 1)] ?? Infinity;
    const high = plain[Math.min(plain.length - 1, Math.ceil(rank) + 1)] ?? -Infinity;
    return typeof told === 'number' && told >= low && told <= high;
  }
  if (typeof plain === 'number' && typeof told === 'number') return Math.abs(told - plain) <= Math.abs(plain) * 1e-9;
  return told === plain;
}
