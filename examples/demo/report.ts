import type { Latency } from './latency.js';

/** One number that two sides counted, each on its own. */
export interface Pair {
  readonly name: string;
  readonly limit?: number;
  readonly library: number;
  readonly other: number;
}

/** The numbers of a run, as the table shows them and `--json` writes them. */
export interface Report {
  readonly run: string;
  readonly keys: readonly Pair[];
  readonly proxies: readonly Pair[];
  /** Sends that got ERR_POOL_EXHAUSTED, so that nothing left. */
  readonly exhausted: number;
  readonly cache: { readonly sends: number; readonly hits: number; readonly fetched: Pair };
  /** All requests that reached the server. */
  readonly requests: Pair;
  readonly retries: number;
  /** Attempts, hits and refusals by the callers' count, and the records of this run in the log. */
  readonly log: Pair;
  readonly latencies: readonly Latency[];
  /** What went otherwise than it should, a line each. */
  readonly faults: readonly string[];
}

export const isEqual = ({ library, other }: Pair): boolean => library === other;

/** True when both sides counted the same everywhere and nothing went wrong. */
export function agrees({ keys, proxies, cache, requests, log, faults }: Report): boolean {
  return faults.length === 0 && [...keys, ...proxies, cache.fetched, requests, log].every(isEqual);
}
