import type { Clock } from '../clock.js';
import type { Exchange } from '../pipeline/exchange.js';
import { askOf } from './ask.js';
import { assess } from './assess.js';
import type { CacheStore } from './cache-store.js';
import { lookUp } from './lookup.js';

/** What the cache would say to a request now. */
export interface CachePeek {
  /** `revalidated`: the origin would be asked whether the stored reply is still valid. */
  readonly status: 'bypass' | 'hit' | 'miss' | 'revalidated' | 'stale';
  /** Of the stored reply, in ms; undefined where there is none. */
  readonly ageMs: number | undefined;
  readonly because: string;
}

/** Looks without serving: nothing is sent, stored or logged. */
export async function peek(store: CacheStore, exchange: Exchange, clock: Clock): Promise<CachePeek> {
  const ask = askOf(exchange);
  if (ask === undefined) {
    const isOff = exchange.policy.cache === undefined;
    const because = isOff ? 'no cache is asked for' : 'this request is none that the cache answers';
    return { status: 'bypass', ageMs: undefined, because };
  }
  if (!ask.reads) return { status: 'miss', ageMs: undefined, because: 'the cache is told not to look' };
  const { first, entry } = await lookUp(store, ask, exchange);
  if (entry === undefined) {
    const because = first === undefined ? 'nothing is stored' : 'what is stored answers other request headers (Vary)';
    return { status: 'miss', ageMs: undefined, because };
  }
  const { ageMs, leftMs, verdict } = assess(entry, ask, clock.now());
  const aged = `stored ${seconds(ageMs)} ago`;
  if (verdict === 'confirm') return { status: 'revalidated', ageMs, because: `${aged}; the origin is asked again` };
  if (leftMs > 0) return { status: 'hit', ageMs, because: `${aged}, fresh for ${seconds(leftMs)} more` };
  const behind = verdict === 'behind' ? ', and refreshed behind it' : '';
  return { status: 'stale', ageMs, because: `${aged}, stale for ${seconds(-leftMs)}${behind}` };
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
