/** How long one kind of exchange took, in ms. */
export interface Latency {
  readonly name: string;
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** Nearest-rank percentiles of what was measured, or undefined where nothing was. */
export function latency(name: string, measuredMs: readonly number[]): Latency | undefined {
  if (measuredMs.length === 0) return undefined;
  const sorted = measuredMs.toSorted((a, b) => a - b);
  const at = (part: number): number => sorted[Math.ceil(part * sorted.length) - 1] ?? 0;
  return { name, count: sorted.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}
