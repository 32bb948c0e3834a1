import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { dns } from '../builtins.js';
import { lastUsed } from '../last-used.js';

/** The system does not say how long an answer is good for; so long nobody minds, and a server that moves is found again. */
const TTL_MS = 10_000;
const NAMES = 1_000;

/**
 * `dns.lookup` that remembers what it found for ten seconds, and asks once for all who want the same name at a time.
 * All addresses are handed out, in the system's order: Node tries them in turn, families alternating (RFC 8305). A
 * fault is told to those who waited, and not remembered.
 */
export function cachedLookup(lookup: typeof dns.lookup = dns.lookup): LookupFunction {
  const found = lastUsed<readonly LookupAddress[]>(NAMES, TTL_MS);
  const asking = new Map<string, ((error: NodeJS.ErrnoException | null, all: readonly LookupAddress[]) => void)[]>();

  return (hostname, options, callback) => {
    const name = `${options.family ?? 0} ${options.hints ?? 0} ${hostname}`;
    const answer = (error: NodeJS.ErrnoException | null, all: readonly LookupAddress[]): void => {
      if (error !== null) callback(error, []);
      else if (options.all === true) callback(null, [...all]);
      else callback(null, all[0]?.address ?? '', all[0]?.family);
    };
    const known = found.get(name);
    if (known !== undefined) return process.nextTick(answer, null, known);
    const others = asking.get(name);
    if (others !== undefined) return void others.push(answer);
    const all = [answer];
    asking.set(name, all);
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      asking.delete(name);
      if (error === null) found.set(name, addresses);
      for (const each of all) each(error, addresses);
    });
  };
}
