import type { Column } from './column.js';

/** Buckets of time, as wide as the range asks for. */
export const TIMELINE: Column = {
  label: '@timestamp',
  customLabel: false,
  dataType: 'date',
  operationType: 'date_histogram',
  sourceField: '@timestamp',
  isBucketed: true,
  scale: 'interval',
  params: { interval: 'auto', includeEmptyRows: true, dropPartials: false },
};

interface TermsOptions {
  readonly size: number;
  /** The column whose values decide which terms are the top ones; without one, their own order does. */
  readonly by?: string;
  /** The fewest first. @default 'desc' */
  readonly direction?: 'asc' | 'desc';
  readonly dataType?: 'number' | 'string';
  /** One more bucket for what does not make it to the top. @default false */
  readonly other?: boolean;
  /** One more bucket for documents without the field. @default false */
  readonly missing?: boolean;
}

/** The top values of a field. */
export function terms(field: string, label: string, options: TermsOptions): Column {
  const { size, by, direction = 'desc', dataType = 'string', missing = false, other = missing } = options;
  return {
    label,
    customLabel: true,
    dataType,
    operationType: 'terms',
    sourceField: field,
    isBucketed: true,
    scale: 'ordinal',
    params: {
      size,
      orderBy: by === undefined ? { type: 'alphabetical', fallback: false } : { type: 'column', columnId: by },
      orderDirection: direction,
      otherBucket: other,
      missingBucket: missing,
      parentFormat: { id: 'terms' },
      include: [],
      exclude: [],
      includeIsRegex: false,
      excludeIsRegex: false,
    },
  };
}
