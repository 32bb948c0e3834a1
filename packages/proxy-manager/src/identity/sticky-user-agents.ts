import type { UserAgentFilter } from '../config/options.js';
import type { NamedFilter } from '../pipeline/exchange.js';
import { randomUserAgent } from './user-agents.js';

/** Credentials remembered at once; the one unused for the longest is forgotten first, and gets another browser next time. */
const REMEMBERED = 10_000;

/** Gives the same user agent to the same credential, as long as it asks with the same filter. */
export function stickyUserAgents(
  pick: (filter?: UserAgentFilter) => Promise<string> = randomUserAgent,
  remembered: number = REMEMBERED,
): (credential: string, named?: NamedFilter) => Promise<string> | string {
  const byName = new Map<string, string>();

  function remember(name: string, userAgent: string): string {
    byName.delete(name);
    byName.set(name, userAgent);
    if (byName.size > remembered) forgetOldest();
    return userAgent;
  }

  function forgetOldest(): void {
    const [oldest] = byName.keys();
    if (oldest !== undefined) byName.delete(oldest);
  }

  return (credential, named) => {
    const name = named === undefined ? credential : `${credential}\n${named.name}`;
    const known = byName.get(name);
    if (known !== undefined) return remember(name, known);
    // Whoever asked at the same time and came back first has chosen for both.
    return pick(named?.filter).then((picked) => remember(name, byName.get(name) ?? picked));
  };
}
