/** A Lens column as Kibana stores it: what is computed, of which field, under which filter, shown how. */
export interface Column {
  readonly label: string;
  readonly customLabel: boolean;
  readonly dataType: 'date' | 'number' | 'string';
  readonly operationType: string;
  readonly isBucketed: boolean;
  readonly scale: 'interval' | 'ordinal' | 'ratio';
  readonly sourceField?: string;
  readonly filter?: Kql;
  readonly references?: readonly string[];
  readonly params?: Readonly<Record<string, unknown>>;
}

/** In the order in which Lens nests them: buckets first. */
export type Columns = Readonly<Record<string, Column>>;

export interface Kql {
  readonly query: string;
  readonly language: 'kuery';
}

export function kql(query: string): Kql {
  return { query, language: 'kuery' };
}

/** How a number is written; without one, the data view's format of the field is used. */
export interface Format {
  readonly id: 'bytes' | 'duration' | 'number' | 'percent';
  readonly params: Readonly<Record<string, unknown>>;
}

export const WHOLE: Format = { id: 'number', params: { decimals: 0 } };
export const PERCENT: Format = { id: 'percent', params: { decimals: 1 } };
export const BYTES: Format = { id: 'bytes', params: { decimals: 1 } };

/** What every document of the index is called as a field. */
export const RECORDS = '___records___';

/** Nothing to compute over is zero for these, and no value for the others. */
const COUNTING = new Set(['count', 'sum', 'unique_count']);

interface MetricOptions {
  /** Only documents that match this KQL are computed over. */
  readonly where?: string;
  readonly format?: Format;
}

function metric(operationType: string, sourceField: string, label: string, options: MetricOptions = {}): Column {
  const { where, format } = options;
  return {
    label,
    customLabel: true,
    dataType: 'number',
    operationType,
    isBucketed: false,
    scale: 'ratio',
    sourceField,
    ...(where !== undefined && { filter: kql(where) }),
    params: { ...(COUNTING.has(operationType) && { emptyAsNull: false }), ...(format && { format }) },
  };
}

export function count(label: string, where?: string): Column {
  return metric('count', RECORDS, label, { format: WHOLE, ...(where !== undefined && { where }) });
}

export function sum(field: string, label: string, options?: MetricOptions): Column {
  return metric('sum', field, label, options);
}

export function min(field: string, label: string, options?: MetricOptions): Column {
  return metric('min', field, label, options);
}

export function max(field: string, label: string, options?: MetricOptions): Column {
  return metric('max', field, label, options);
}

/** The number of different values. */
export function unique(field: string, label: string, options: MetricOptions = {}): Column {
  return metric('unique_count', field, label, { format: WHOLE, ...options });
}

/** @param rank from 1 to 99 */
export function percentile(field: string, rank: number, label: string, options: MetricOptions = {}): Column {
  const column = metric('percentile', field, label, options);
  return { ...column, params: { percentile: rank, ...(options.format && { format: options.format }) } };
}

/** The value of the newest document that has one. */
export function last(field: string, label: string, dataType: Column['dataType'], format?: Format): Column {
  return {
    label,
    customLabel: true,
    dataType,
    operationType: 'last_value',
    isBucketed: false,
    scale: dataType === 'string' ? 'ordinal' : 'ratio',
    sourceField: field,
    filter: kql(`"${field}": *`),
    params: { sortField: '@timestamp', showArrayValues: false, ...(format && { format }) },
  };
}
