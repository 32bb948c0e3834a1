import type { Exchange, Reply } from './exchange.js';

export type Next = (exchange: Exchange) => Promise<Reply>;

/** One layer of the pipeline: works before, after or instead of `next`. Factories return a *named* function. */
export type Stage = (exchange: Exchange, next: Next) => Promise<Reply>;
