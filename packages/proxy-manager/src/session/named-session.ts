import type { SessionOptions } from '../config/options.js';
import type { NamedSession } from '../pipeline/exchange.js';
import type { Session } from './session.js';

/** A Request's words about its session, with their defaults. */
export function namedSession(
  option: SessionOptions | string | undefined,
  open: (name: string) => Session,
): NamedSession | undefined {
  if (option === undefined) return undefined;
  const {
    name,
    maxAgeMs = Infinity,
    maxUses = Infinity,
    maxErrors = 3,
  } = typeof option === 'string' ? { name: option } : option;
  return { name, session: open(name), rules: { maxAgeMs, maxUses, maxErrors } };
}
