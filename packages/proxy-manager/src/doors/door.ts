import type { CallOptions } from '../config/options.js';
import type { exchangeAbort } from '../pipeline/abort.js';
import type { Exchange, OutboundRequest, Reply } from '../pipeline/exchange.js';

/** Which way a call came in, by the name that its caller knows: errors about it begin with that. */
export type DoorName = 'axios' | 'explain' | 'fetch' | 'send';

/** What a door has read out of its caller's words. */
export interface Call extends Pick<Parameters<typeof exchangeAbort>[0], 'alsoOn' | 'signal'> {
  readonly door: DoorName;
  readonly outbound: OutboundRequest;
  /** The extras of this call; what they leave out is the Request's. */
  readonly extras: CallOptions;
  /** Bound of getting the reply, over all attempts, in ms; 0: none. */
  readonly timeoutMs: number;
}

/** How a door tells its caller what came of it. */
export interface Answer<T> {
  /** Makes the result out of any reply; throws where the door's callers expect a rejection. */
  reply(exchange: Exchange, reply: Reply): T;
  /** What is thrown for `error`, or given to the reader of a reply whose stream breaks by it. */
  error(exchange: Exchange, error: unknown): unknown;
}

/** Sends one call of whichever door, as soon as `read` has it, through the pipeline of its Request. */
export type Perform = <T>(read: () => Call | Promise<Call>, answer: Answer<T>) => Promise<T>;
