import type { Exchange } from '../pipeline/exchange.js';

/** Whose reply it will be, as far as that is known before a lease: the pinned credentials, or the session. */
export function identityOf({ pin, session }: Pick<Exchange, 'pin' | 'session'>): readonly string[] | undefined {
  return pin?.ids ?? (session && ['session', session.name]);
}
