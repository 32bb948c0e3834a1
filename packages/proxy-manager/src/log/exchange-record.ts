import type { Exchange, Reply } from '../pipeline/exchange.js';

/** One ECS document: see docs/log.md for its fields. */
export interface ExchangeRecord {
  readonly '@timestamp': string;
  readonly event: { readonly id: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

/** How the exchange or attempt ended. */
export type Outcome = { readonly reply: Reply } | { readonly error: unknown };

export declare function toRecord(exchange: Exchange, outcome: Outcome, endedAtMs: number): ExchangeRecord;
