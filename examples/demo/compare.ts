import type { ProxyManager } from 'proxy-manager';
import type { Pair } from './report.js';
import type { ServerStats } from './settings.js';
import type { Tally } from './run-workload.js';

/** What the library counted for each credential of `endpoint`, beside what the server counted for that caller. */
export async function compareUses(
  manager: ProxyManager,
  endpoint: string,
  tally: Tally,
  stats: ServerStats,
): Promise<Pair[]> {
  const names = namesById(tally);
  return (await manager.usage(endpoint)).map(({ id, windows: [window] }) => ({
    name: id,
    limit: window?.limit ?? 0,
    library: window?.used ?? 0,
    other: stats.callers[names.get(id) ?? '']?.arrived ?? 0,
  }));
}

/** Replies tell under which name the server knows whom the library calls by an id: exactly one name per id. */
function namesById({ ids, faults }: Tally): Map<string, string> {
  const names = new Map<string, string>();
  for (const [name, of] of ids) {
    for (const id of of) {
      if (of.size > 1 || names.has(id)) faults.push(`the server knows ${[...of].join(', ')} under one name, ${name}`);
      names.set(id, name);
    }
  }
  return names;
}

/** The server must never have had to say 429: the library keeps under the limits by itself. */
export function throttleFaults(stats: ServerStats): string[] {
  return Object.entries(stats.callers)
    .filter(([, { refused }]) => refused > 0)
    .map(([name, { refused }]) => `the server answered ${name} 429 ${refused} times`);
}

/** What reached the server at the cached endpoint. */
export function catalogRequests(stats: ServerStats): number {
  const counts = Object.entries(stats.callers).filter(([name]) => name.startsWith('catalog-'));
  return counts.reduce((total, [, { arrived }]) => total + arrived, 0);
}
