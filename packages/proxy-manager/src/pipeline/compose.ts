import type { Next, Stage } from './stage.js';

/** One function out of many stages: the first of the list is the outermost, `last` ends the chain. */
export function compose(stages: readonly Stage[], last: Next): Next {
  return stages.reduceRight<Next>((next, stage) => (exchange) => stage(exchange, next), last);
}
