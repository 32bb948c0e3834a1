/** The figures of a panel: for each path of bucket keys, the value of each column that is no bucket. */
export type Figures = ReadonlyMap<string, Readonly<Record<string, number | string | null>>>;

/** Keys are joined by something that stands in no value. */
export function pathOf(keys: readonly unknown[]): string {
  return keys.map(String).join(' › ');
}

/** What stands for a value that a document does not have, in buckets that take such documents too. */
export const MISSING = '__missing__';

/** The width of a bar of time, which Kibana would take from the range. */
export const BAR_MS = 250;
