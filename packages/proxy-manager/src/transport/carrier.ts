import type { Dispatcher } from 'undici';
import type { Route } from './route.js';

/** How long connecting took in all, in ms, and what of it went into its parts. */
export interface ConnectTimes {
  readonly connectMs: number;
  readonly dnsMs?: number;
  readonly tlsMs?: number;
}

/** What one exchange asks a carrier to send. */
export interface Dispatch {
  readonly path: string;
  readonly method: string;
  /** Names and values in turn. */
  readonly headers: string[];
  readonly body: Dispatcher.DispatchOptions['body'];
  /** In ms; default: the transport's own. */
  readonly headersTimeout?: number;
}

/**
 * Is told of one exchange as it goes on: once of its end or its error, and of nothing after that.
 *
 * In the form that undici's own parts speak: in the newer one, each exchange gets a wrapper around this, and the headers
 * are read twice.
 */
export interface ReplyHandler {
  /** The request goes out. */
  onConnect(): void;
  /** `rawHeaders` are names and values in turn; `resume` goes on after a pause. False: pause. */
  onHeaders(status: number, rawHeaders: readonly (Buffer | string)[], resume: () => void, statusText: string): boolean;
  /** False: pause. */
  onData(chunk: Buffer): boolean;
  onComplete(): void;
  onError(error: Error): void;
}

/** Carries one exchange: a connection of its own, or a stream of one that others share. */
export interface Carrier {
  readonly route: Route;
  readonly httpVersion: '1.1' | '2';
  /** How long this exchange waited for its connection; undefined where one was open already. */
  readonly connectTimes: ConnectTimes | undefined;
  /** Bytes moved since this was asked for the exchange before, as far as they can be told from others'. */
  traffic(): { readonly sent: number; readonly received: number };
  dispatch(what: Dispatch, handler: ReplyHandler): void;
  /** The exchange has ended well: what carried it may carry the next one. */
  release(): void;
  /** Hangs up; the exchange, where it is still on, fails with `reason`. */
  drop(reason?: Error): void;
}

/** The other side told that it has not even looked at the request. */
export class RefusedUnread extends Error {
  readonly code = 'ECONNRESET';
}
