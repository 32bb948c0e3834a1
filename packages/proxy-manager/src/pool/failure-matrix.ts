import type { LRUCache } from 'lru-cache';
import { lastUsed } from '../last-used.js';

/** Pairs are forgotten after this, in ms. */
const FORGOTTEN_MS = 600_000;
const KEPT = 10_000;

/**
 * Tells a failing proxy from failing sites: who failed for whom, as far as nothing has worked since. A host that fails
 * through several proxies is most likely down itself, and says nothing about any of them.
 */
export class FailureMatrix {
  readonly #hosts = lastUsed<Set<string>>(KEPT, FORGOTTEN_MS);
  readonly #proxies = lastUsed<Set<string>>(KEPT, FORGOTTEN_MS);

  /** Notes that `host` was not reached through `proxy`; true where now the proxy itself is to blame. */
  failed(proxy: string, host: string): boolean {
    added(this.#hosts, host, proxy);
    const hosts = added(this.#proxies, proxy, host);
    return [...hosts].filter((each) => (this.#hosts.get(each)?.size ?? 0) < 2).length >= 2;
  }

  /** Notes that a reply came from `host` through `proxy`. */
  worked(proxy: string, host: string): void {
    if (this.#hosts.size === 0) return;
    this.#hosts.delete(host);
    this.#proxies.delete(proxy);
  }
}

function added(sets: LRUCache<string, Set<string>>, name: string, member: string): Set<string> {
  const set = sets.get(name) ?? new Set();
  set.add(member);
  sets.set(name, set);
  return set;
}
