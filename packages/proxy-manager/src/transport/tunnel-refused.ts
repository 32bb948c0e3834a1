/** What a refused tunnel is about: it is no proxy, it minds our name and password, or it does not go to the target. */
export type RefusalCause = 'proxy' | 'password' | 'target';

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
  return status === 407 ? 'password' : 'target';
}
