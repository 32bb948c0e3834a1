import type { HeaderList } from '../pipeline/headers.js';

/**
 * Where on the way a network fault happened: reaching the outbound proxy, or it is none; behind it, where it was reached
 * and opened no way to the origin; reaching the origin; sending; receiving.
 */
export type FaultPhase = 'proxy' | 'tunnel' | 'connect' | 'request' | 'response';

/** The head of a reply whose body did not come whole. */
export interface ReceivedHead {
  readonly status: number;
  readonly statusText: string;
  readonly headers: HeaderList;
  /** True where the body was coded, and was decoded on its way. */
  readonly isDecoded: boolean;
}

/**
 * The wire failed: what a `Transport` rejects with. The doors turn it into an `AxiosError`, or the cause of a `TypeError`,
 * with the same code and message.
 *
 * The message may name a proxy by its id, never by its address: an address can hold a password. Nor may it, or the
 * cause, hold the url's path or query, or bytes of the reply: they can hold a key.
 *
 * @example
 * import { TransportFault } from 'proxy-manager';
 *
 * throw new TransportFault('ECONNREFUSED', 'GET https://api.example.com refused the connection (ECONNREFUSED)', {
 *   phase: 'connect',
 *   sent: false,
 * });
 */
export class TransportFault extends Error {
  override readonly name = 'TransportFault';
  /**
   * axios's code: ECONNREFUSED, ECONNRESET, ETIMEDOUT, ENOTFOUND, ERR_BAD_RESPONSE, ERR_FR_TOO_MANY_REDIRECTS, …
   *
   * Where axios has none: a proxy that opens no tunnel is ERR_PROXY_TUNNEL (Node's word since 24), one that wants
   * another password, or any, ERR_PROXY_AUTH_REQUESTED (after Chromium's).
   */
  readonly code: string;
  readonly phase: FaultPhase;
  /** False only when surely no byte of the request was handed to a socket, or a proxy refused it by 407. */
  readonly sent: boolean;
  /** Set where the reply had begun. */
  readonly received: ReceivedHead | undefined;

  constructor(
    code: string,
    message: string,
    where: { phase: FaultPhase; sent: boolean; received?: ReceivedHead | undefined },
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.code = code;
    this.phase = where.phase;
    this.sent = where.sent;
    this.received = where.received;
  }
}
