import type { Clock } from '../clock.js';
import type { UserAgentFilter } from '../config/options.js';
import { unlessAborted } from '../pipeline/abort.js';
import type { HeaderList } from '../pipeline/headers.js';
import type { Lease } from '../pool/lease.js';
import type { LeaseDemand } from '../pool/pool.js';
import { hasIds } from '../pool/pool.js';
import type { Verdict } from '../pool/verdict.js';
import type { Pool } from '../usage/usage-store.js';
import type { Cookies } from './cookies.js';
import { openCookies } from './cookies.js';
import type { SavedSession, SessionStore } from './session-store.js';

/** When a session ends, and the next request begins another by its name. */
export interface SessionRules {
  readonly maxAgeMs: number;
  readonly maxUses: number;
  /** In a row. */
  readonly maxErrors: number;
}

/** What a session is made of. */
export interface SessionParts {
  /** Of one endpoint. */
  readonly name: string;
  /** The one that is in force. */
  readonly pool: () => Pool;
  readonly store: SessionStore;
  readonly clock: Clock;
  readonly userAgent: (filter?: UserAgentFilter) => Promise<string>;
}

/** Counts a use of what is demanded. */
export type Take = (demand: LeaseDemand) => Promise<Lease>;

export interface SessionLease {
  readonly lease: Lease;
  readonly identity: SessionIdentity;
}

/** What the next request would find. */
export interface SessionOutlook {
  readonly ids: readonly string[];
  /** False: it begins another, with other credentials where there are others. */
  readonly lasts: boolean;
}

/** One identity from its beginning to its end. */
interface Life {
  readonly ids: readonly string[];
  readonly userAgent: string;
  readonly startedAtMs: number;
  endsAtMs: number;
  uses: number;
  /** In a row; Infinity: it was turned away. */
  errors: number;
  readonly cookies: Cookies;
  /** Where its credentials have been found. */
  pool?: Pool;
}

/** What the stages behind the lease need of a session. */
export interface SessionIdentity {
  readonly userAgent: string;
  cookiesFor(url: URL): string;
  /** What `holdsSecret` goes into no file. */
  keepCookies(url: URL, headers: HeaderList, holdsSecret: (text: string) => boolean): void;
  /** What an attempt says of the identity. */
  settle(verdict: Verdict | undefined): void;
}

/**
 * One identity under a name: the same key, proxy, user agent and cookies for every request, until it is too old, used
 * up or turned away. Requests of one manager that name it share it, and so does the next process.
 */
export class Session {
  readonly #parts: SessionParts;
  #life: Promise<Life> | undefined;
  #ended: SavedSession | undefined;
  #writing: Promise<void> | undefined;
  #unwritten: Life | undefined;

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  /**
   * A use of its credentials, by `take`. A session that is over begins anew, with others where there are others, and a
   * user agent that passes `filter`.
   */
  async lease(demand: LeaseDemand, rules: SessionRules, take: Take, filter?: UserAgentFilter): Promise<SessionLease> {
    for (;;) {
      const opening = this.#life ?? this.#open(demand, take, filter);
      const isOurs = this.#life === undefined;
      this.#life = opening;
      let life: Life;
      try {
        life = await (demand.signal === undefined ? opening : unlessAborted(opening, demand.signal));
      } catch (error) {
        demand.signal?.throwIfAborted();
        if (this.#life === opening) this.#life = undefined;
        if (isOurs) throw error;
        continue;
      }
      if (this.#isOver(life, rules) || !this.#isKnown(life)) {
        if (this.#life === opening) {
          this.#ended = toSaved(life);
          this.#life = undefined;
        }
        continue;
      }
      life.uses += 1;
      let lease: Lease;
      try {
        lease = await take({ ...demand, avoid: undefined, shun: undefined, pin: life.ids });
      } catch (error) {
        life.uses -= 1;
        // Removed while it was waited for: others serve.
        if (!this.#isKnown(life)) continue;
        throw error;
      }
      this.#write(life, rules);
      return { lease, identity: this.#identityOf(life, rules) };
    }
  }

  /** The ids of the key and the proxy, and whether the next request keeps them; undefined: it begins the session. */
  async outlook(rules: SessionRules): Promise<SessionOutlook | undefined> {
    const { name, store } = this.#parts;
    const last = (await this.#life?.catch(() => undefined)) ?? (await store.read(name));
    return last && { ids: last.ids, lasts: this.#counts(last) && !this.#isOver(last, rules) };
  }

  /** Resolves when all is written. */
  async close(): Promise<void> {
    await this.#writing;
  }

  async #open(demand: LeaseDemand, take: Take, filter: UserAgentFilter | undefined): Promise<Life> {
    const { name, store } = this.#parts;
    const saved = await store.read(name);
    if (saved !== undefined && this.#counts(saved)) return revive(saved);
    return this.#begin(demand, take, filter, saved);
  }

  /** False where it has ended here, or the secrets know its credentials no more. */
  #counts({ ids, startedAtMs }: Pick<SavedSession, 'ids' | 'startedAtMs'>): boolean {
    return hasIds(this.#parts.pool(), ids) && startedAtMs !== this.#ended?.startedAtMs;
  }

  async #begin(
    demand: LeaseDemand,
    take: Take,
    filter: UserAgentFilter | undefined,
    ended: SavedSession | undefined,
  ): Promise<Life> {
    const { name, store, clock, userAgent } = this.#parts;
    const avoid = new Set([...(demand.avoid ?? []), ...(ended?.ids ?? [])]);
    // Which credentials: counted when the first request takes them, as every later one does.
    const found = await take({ ...demand, avoid, pin: undefined });
    await found.settle(undefined, false);
    const session: SavedSession = {
      ids: found.taken.map(({ id }) => id),
      userAgent: await userAgent(filter),
      // Told apart from the one before by it.
      startedAtMs: Math.max(clock.now(), (ended?.startedAtMs ?? 0) + 1),
      endsAtMs: Infinity,
      uses: 0,
      errors: 0,
      cookies: undefined,
    };
    return revive(await store.begin(name, session, ended));
  }

  #identityOf(life: Life, rules: SessionRules): SessionIdentity {
    return {
      userAgent: life.userAgent,
      cookiesFor: (url) => life.cookies.for(url),
      keepCookies: (url, headers, holdsSecret) => {
        if (life.cookies.keep(url, headers, holdsSecret)) this.#write(life, rules);
      },
      settle: (verdict) => this.#settle(life, verdict, rules),
    };
  }

  #isOver(
    life: Pick<SavedSession, 'errors' | 'startedAtMs' | 'uses'>,
    { maxAgeMs, maxUses, maxErrors }: SessionRules,
  ): boolean {
    const ageMs = this.#parts.clock.now() - life.startedAtMs;
    return ageMs >= maxAgeMs || life.uses >= maxUses || life.errors >= maxErrors;
  }

  /** Looked for once in each pool. */
  #isKnown(life: Life): boolean {
    const pool = this.#parts.pool();
    if (pool === life.pool) return true;
    if (!hasIds(pool, life.ids)) return false;
    life.pool = pool;
    return true;
  }

  #settle(life: Life, verdict: Verdict | undefined, rules: SessionRules): void {
    // What was under way when it was turned away brings it back no more.
    if (life.errors === Infinity) return;
    switch (verdict?.kind) {
      case 'good':
        if (life.errors === 0) return;
        life.errors = 0;
        break;
      case 'throttled':
      case 'spent':
        life.errors += 1;
        break;
      case 'blocked':
      case 'proxy-dead':
      case 'refused':
        // Nobody answers to this identity any more.
        life.errors = Infinity;
        break;
      case 'down':
      case undefined:
        return;
    }
    this.#write(life, rules);
  }

  /** One write at a time, of the newest state; what fails is written with the next one. */
  #write(life: Life, rules: SessionRules): void {
    // The one that has followed it is to be written, and may be waiting for that.
    if (life.startedAtMs <= (this.#ended?.startedAtMs ?? -Infinity)) return;
    life.endsAtMs = this.#isOver(life, rules) ? this.#parts.clock.now() : life.startedAtMs + rules.maxAgeMs;
    this.#unwritten = life;
    this.#writing ??= this.#writeOut().finally(() => {
      this.#writing = undefined;
    });
  }

  async #writeOut(): Promise<void> {
    for (let life = this.#unwritten; life !== undefined; life = this.#unwritten) {
      this.#unwritten = undefined;
      await this.#parts.store.write(this.#parts.name, toSaved(life)).catch(() => {});
    }
  }
}

async function revive({ cookies, ...rest }: SavedSession): Promise<Life> {
  return { ...rest, cookies: await openCookies(cookies) };
}

function toSaved({ ids, userAgent, startedAtMs, endsAtMs, uses, errors, cookies }: Life): SavedSession {
  return { ids, userAgent, startedAtMs, endsAtMs, uses, errors, cookies: cookies.save() };
}
