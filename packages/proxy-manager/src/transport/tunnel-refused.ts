/** What a refused tunnel is about: the proxy will not, it minds our name and password, or it cannot reach the target. */
export type RefusalCause = 'proxy' | 'password' | 'target';

/** A gateway's own words for an origin that does not answer it; also what a proxy says to CONNECT then. */
const GATEWAY_ERRORS: ReadonlySet<number> = new Set([502, 503, 504]);

/** The proxy answered, and not with a tunnel; the message is the answer in words. */
export class TunnelRefused extends Error {
  readonly about: RefusalCause;

  constructor(answer: string, about: RefusalCause = 'proxy') {
    super(answer);
    this.about = about;
  }
}

/** What a status in answer to CONNECT is about. */
export function causeOfStatus(status: number): RefusalCause {
  if (status === 407) return 'password';
  return GATEWAY_ERRORS.has(status) ? 'target' : 'proxy';
}
