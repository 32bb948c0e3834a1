import { systemClock } from '../clock.js';
import type { Clock } from '../clock.js';
import type { Exchange, Pin } from '../pipeline/exchange.js';
import type { Pool } from '../usage/usage-store.js';
import type { Lease } from './lease.js';
import type { LeaseDemand } from './pool.js';

/** What `Request.getKeyProxy` resolves: ids for everyone, the secrets on request. */
export interface KeyProxy {
  /** Of the key, or of the proxy where the endpoint has no keys. */
  readonly id: string;
  readonly secretType: 'ip' | 'key';
  /** Not enumerable. */
  readonly key?: string;
  /** `protocol://[user:password@]host:port`. Not enumerable. */
  readonly proxy?: string;
}

/** What a pinned identity reads of an exchange. */
interface Wanted {
  readonly policy: Pick<Exchange['policy'], 'cost' | 'waitMs'>;
  readonly signal: AbortSignal | undefined;
  readonly request?: Pick<Exchange['request'], 'url'>;
}

/**
 * A credential kept for one Request: one use is reserved at once and spent by the first exchange, each later one counts
 * anew. So does the first one where the reservation does not cover it: it costs more than one use, or the window that
 * the use was counted in is over.
 */
export class PinnedIdentity implements Pin {
  readonly key: string | undefined;
  readonly identity: Pin['identity'];
  readonly #first: Lease;
  readonly #lease: (demand: LeaseDemand) => Promise<Lease>;
  readonly #clock: Clock;
  #reserved = true;
  #foundIn: Pool | undefined;

  constructor(
    first: Lease,
    lease: (demand: LeaseDemand) => Promise<Lease>,
    clock: Clock = systemClock,
    identity?: Pin['identity'],
  ) {
    this.identity = identity;
    this.#clock = clock;
    this.#first = first;
    this.#lease = lease;
    this.key = first.key?.secret.reveal();
  }

  async lease({ policy, request, signal }: Wanted): Promise<Lease> {
    signal?.throwIfAborted();
    if (this.#reserved && policy.cost === 1 && this.#isCurrent()) {
      this.#reserved = false;
      return this.#first;
    }
    await this.release();
    return this.#lease({
      cost: policy.cost,
      waitMs: policy.waitMs,
      signal,
      host: request?.url.host,
      pin: this.ids,
    });
  }

  get ids(): readonly string[] {
    return this.#first.taken.map(({ id }) => id);
  }

  isIn({ endpoint: { keys = [], proxies = [] }, pool }: Parameters<Pin['isIn']>[0]): boolean {
    if (pool === this.#foundIn) return true;
    const { key, proxy, taken } = this.#first;
    const isThere =
      taken.length === pool.sections.length &&
      (key === undefined || keys.some(({ id, secret }) => id === key.id && secret.equals(key.secret))) &&
      (proxy === undefined || proxies.some(({ id }) => id === proxy.id));
    if (isThere) this.#foundIn = pool;
    return isThere;
  }

  reveal(): KeyProxy {
    const { key, proxy } = this.#first;
    const shown = { id: (key ?? proxy)?.id ?? '', secretType: key === undefined ? 'ip' : 'key' } as const;
    const secrets: PropertyDescriptorMap = {};
    if (key !== undefined) secrets['key'] = { value: key.secret.reveal() };
    if (proxy !== undefined) {
      const userinfo = proxy.userinfo?.reveal().split(':').map(encodeURIComponent).join(':');
      secrets['proxy'] = {
        value: `${proxy.protocol}://${userinfo === undefined ? '' : `${userinfo}@`}${proxy.hostname}:${proxy.port}`,
      };
    }
    return Object.defineProperties(shown, secrets);
  }

  #isCurrent(): boolean {
    const nowMs = this.#clock.now();
    return this.#first.taken.every(({ windows }) => windows.every(({ resetsAtMs = Infinity }) => nowMs < resetsAtMs));
  }

  /** Gives the reserved use back where no exchange has spent it. */
  async release(): Promise<void> {
    if (!this.#reserved) return;
    this.#reserved = false;
    await this.#first.settle(undefined, false);
  }
}
