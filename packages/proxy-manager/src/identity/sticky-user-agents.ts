import { randomUserAgent } from './user-agents.js';

/** Credentials remembered at once; the one unused for the longest is forgotten first, and gets another browser next time. */
const REMEMBERED = 10_000;

/** Gives the same user agent to whoever has the same name. */
export function stickyUserAgents(
  pick: () => Promise<string> = randomUserAgent,
  remembered: number = REMEMBERED,
): (name: string) => Promise<string> | string {
  const byName = new Map<string, string>();

  function remember(name: string, userAgent: string): string {
    byName.delete(name);
    byName.set(name, userAgent);
    const [oldest] = byName.keys();
    if (byName.size > remembered && oldest !== undefined) byName.delete(oldest);
    return userAgent;
  }

  return (name) => {
    const known = byName.get(name);
    if (known !== undefined) return remember(name, known);
    // Whoever asked at the same time and came back first has chosen for both.
    return pick().then((picked) => remember(name, byName.get(name) ?? picked));
  };
}
