import type { Clock } from '../clock.js';
import type { KeyCredential, Meter, ProxyCredential } from '../config/resolve.js';
import type { MeterReading, Pool, UsageStore } from '../usage/usage-store.js';
import { FailureMatrix } from './failure-matrix.js';
import { bookOf, hostBookOf, PROXIES, refused, resting } from './books.js';
import { isDead, LADDER_MS, REFUSED_LADDER_MS, UNREACHED_LADDER_MS, untilOpenLadder } from './ladder.js';
import { Learner } from './learner.js';
import { ProxyProbes } from './proxy-probes.js';
import type { Reason } from './reasons.js';
import { reasonsIn } from './reasons.js';
import { Refusals } from './refusals.js';
import type { Resting } from './resting-proxies.js';
import { RestingProxies } from './resting-proxies.js';
import { withinReason } from './retry-after.js';
import { Standings } from './standings.js';
import type { ToldLimit } from './told-limits.js';
import type { Verdict } from './verdict.js';

/** True where `proxy` answers again; `target` (host:port) is where it failed last, if that is known. */
export type Probe = (proxy: ProxyCredential, target: string | undefined) => Promise<boolean>;

/** An attempt that has ended, and by whose means. */
export interface Settled {
  readonly pool: Pool;
  readonly key: KeyCredential | undefined;
  readonly proxy: ProxyCredential | undefined;
  readonly taken: readonly MeterReading[];
  readonly verdict: Verdict;
  /** Whom the verdict speaks of, as in `URL.host`; undefined: nobody in particular. */
  readonly host: string | undefined;
  /** What the reply told of the quotas of the credential. */
  readonly told: readonly ToldLimit[];
}

/** How long a probe has, and nobody else probes, in ms. */
const PROBE_MS = 30_000;
/** Acts on verdicts: who rests, for how long, and who comes back. Shared by all pools of a manager. */
export class PoolHealth {
  readonly #store: UsageStore;
  readonly #clock: Clock;
  readonly #probe: Probe | undefined;
  readonly #standings: Standings;
  readonly #probes: ProxyProbes;
  readonly #resting: RestingProxies;
  readonly #matrix = new FailureMatrix();
  readonly #refusals = new Refusals();
  readonly #learner: Learner;
  readonly #proxies = new Map<
    string,
    { readonly proxy: ProxyCredential; readonly pools: Set<Pool>; target?: string }
  >();

  constructor(options: { readonly store: UsageStore; readonly clock: Clock; readonly probe?: Probe | undefined }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#probe = options.probe;
    this.#standings = new Standings(options.store);
    this.#learner = new Learner(options.store);
    this.#probes = new ProxyProbes((id) => this.tryNow(id), options.clock);
    this.#resting = new RestingProxies({
      standings: this.#standings,
      clock: options.clock,
      isKnown: (id) => this.#proxies.has(id),
      onHeld: (id, untilMs) => {
        if (this.#probe !== undefined) this.#probes.watch(id, untilMs);
      },
    });
  }

  /** Makes the proxies of `pool` known. */
  register(pool: Pool, proxies: readonly ProxyCredential[]): void {
    for (const proxy of proxies) {
      const known = this.#proxies.get(proxy.id);
      if (known === undefined) this.#proxies.set(proxy.id, { proxy, pools: new Set([pool]) });
      else known.pools.add(pool);
    }
  }

  /** Another secrets.json is in force: only the proxies of pools that are registered from now on are known. */
  forget(): void {
    this.#proxies.clear();
    this.#resting.forget();
  }

  /** Who of `pool` is not to be taken for a request to `host`, and until when. Waits only where nothing is known yet. */
  restingFor(pool: Pool, host: string | undefined): Promise<Resting> | Resting {
    return this.#resting.of(pool, host);
  }

  /** Notes how the credentials of a lease stand. */
  took(credentials: readonly (Meter | undefined)[], taken: readonly MeterReading[]): void {
    for (const meter of credentials) {
      const reading = meter && taken.find(({ id }) => id === meter.id);
      if (meter !== undefined && reading !== undefined) this.#learner.took(meter, reading);
    }
  }

  /** Does what the verdict asks for, and learns from what the reply told; undefined: that is nothing. */
  settle(settled: Settled): Promise<unknown> | undefined {
    const { key, proxy, pool, told, verdict } = settled;
    const acting = verdict.kind === 'good' ? this.#good(settled) : this.#act(settled, verdict);
    const credential = key ?? proxy;
    if (told.length === 0 || credential === undefined) return acting;
    const learning = this.#learner.learn(pool, credential, told, this.#clock.now());
    return acting === undefined ? learning : Promise.all([acting, learning]);
  }

  async #act(settled: Settled, verdict: Exclude<Verdict, { kind: 'good' }>): Promise<void> {
    const { pool, key, proxy, host } = settled;
    switch (verdict.kind) {
      case 'throttled':
      case 'spent':
        return this.#rest(settled, verdict);
      case 'refused':
        if (key !== undefined) this.#refusals.refused(pool.endpoint, key.id);
        return undefined;
      case 'blocked':
        if (proxy !== undefined && host !== undefined) await this.#strikeFor(host, proxy, LADDER_MS, wordsOf(verdict));
        return undefined;
      case 'proxy-dead':
        if (proxy === undefined) return undefined;
        if (verdict.scope === 'everywhere' || host === undefined)
          return void (await this.#strike(proxy, host, wordsOf(verdict)));
        await this.#strikeFor(host, proxy, UNREACHED_LADDER_MS, `not reached (${verdict.why})`);
        if (!this.#matrix.failed(proxy.id, host)) return undefined;
        return void (await this.#strike(proxy, host, `several hosts were not reached (${verdict.why})`));
      case 'down':
        return undefined;
    }
  }

  #good({ pool, key, proxy, host }: Settled): Promise<unknown> | undefined {
    const book = bookOf(pool.endpoint);
    const steps: Promise<unknown>[] = [];
    const calm = (name: string, id: string): void => {
      const standing = this.#standings.peek(name)?.get(id);
      if (standing === undefined || standing.held || standing.untilMs > this.#clock.now()) return;
      steps.push(this.#standings.note(name, id, { kind: 'calm' }));
    };
    for (const credential of [key, proxy]) if (credential !== undefined) calm(book, resting(credential.id));
    if (key !== undefined) {
      for (const id of this.#refusals.accepted(pool.endpoint, key.id)) steps.push(this.#countRefusal(pool, id));
      if (this.#standings.peek(book)?.has(refused(key.id)) === true) {
        steps.push(this.#standings.note(book, refused(key.id), { kind: 'clear' }));
      }
    }
    if (proxy !== undefined && host !== undefined) {
      this.#matrix.worked(proxy.id, host);
      calm(PROXIES, proxy.id);
      calm(hostBookOf(host), proxy.id);
    }
    return steps.length === 0 ? undefined : Promise.all(steps);
  }

  async #countRefusal(pool: Pool, id: string): Promise<void> {
    const why = 'refused (status 401) while other keys were accepted';
    const event = { kind: 'strike', ladderMs: REFUSED_LADDER_MS, why } as const;
    const { standing } = await this.#standings.note(bookOf(pool.endpoint), refused(id), event);
    if (standing !== undefined && isDead(standing)) await this.#store.rest(pool, id, standing.untilMs);
  }

  async #rest(
    { pool, key, proxy, taken }: Settled,
    verdict: Extract<Verdict, { kind: 'spent' | 'throttled' }>,
  ): Promise<void> {
    const credential: Meter | undefined = key ?? proxy;
    if (credential === undefined) return;
    const nowMs = this.#clock.now();
    const untilMs = verdict.untilMs && withinReason(verdict.untilMs, nowMs, credential);
    const ladderMs =
      verdict.kind === 'spent' ? untilOpenLadder(nextOpenMs(credential, taken, nowMs), nowMs) : LADDER_MS;
    const { standing, changed } = await this.#standings.note(bookOf(pool.endpoint), resting(credential.id), {
      kind: 'strike',
      ladderMs,
      why: wordsOf(verdict),
      ...(untilMs === undefined ? {} : { untilMs }),
    });
    if (changed && standing !== undefined) await this.#store.rest(pool, credential.id, standing.untilMs);
  }

  async #strikeFor(host: string, proxy: ProxyCredential, ladderMs: readonly number[], why: string): Promise<void> {
    await this.#standings.note(hostBookOf(host), proxy.id, { kind: 'strike', ladderMs, why });
  }

  /** The proxy rests everywhere, until a probe brings it back. */
  async #strike(proxy: ProxyCredential, host: string | undefined, why: string, claimed = false): Promise<number> {
    const held = this.#probe !== undefined;
    const event = { kind: 'strike', ladderMs: LADDER_MS, why, held, claimed } as const;
    const { standing, changed } = await this.#standings.note(PROXIES, proxy.id, event);
    const untilMs = standing?.untilMs ?? this.#clock.now();
    const known = this.#proxies.get(proxy.id);
    if (known !== undefined && host !== undefined) known.target = host;
    if (changed) await Promise.all([...(known?.pools ?? [])].map((pool) => this.#store.rest(pool, proxy.id, untilMs)));
    if (held) this.#probes.watch(proxy.id, untilMs);
    return untilMs;
  }

  /** Tries a held proxy, if its rest is over and nobody else does: undefined where it serves again, else until when it rests. */
  async tryNow(id: string): Promise<number | undefined> {
    const known = this.#proxies.get(id);
    if (known === undefined || this.#probe === undefined) return undefined;
    const claim = await this.#standings.note(PROXIES, id, { kind: 'claim', forMs: PROBE_MS });
    // Another process tries it, or it is back, or rests on.
    if (!claim.changed) return claim.standing?.held === true ? claim.standing.untilMs : undefined;
    if (await this.#probe(known.proxy, known.target).catch(() => false)) {
      await this.#standings.note(PROXIES, id, { kind: 'back' });
      return undefined;
    }
    return this.#strike(known.proxy, undefined, 'proxy-dead (no answer to a probe)', true);
  }

  /** Why credentials of `pool` do not serve for a request to `host`, as far as it is not their windows. */
  reasons(pool: Pool, host: string | undefined): Promise<ReadonlyMap<string, Reason>> {
    return reasonsIn(this.#standings, pool, host, this.#clock.now());
  }

  close(): void {
    this.#probes.close();
  }
}

function wordsOf(verdict: Exclude<Verdict, { kind: 'good' }>): string {
  return verdict.why === undefined ? verdict.kind : `${verdict.kind} (${verdict.why})`;
}

/** When the first of its windows opens anew. */
function nextOpenMs({ id }: Meter, taken: readonly MeterReading[], nowMs: number): number | undefined {
  const windows = taken.find((reading) => reading.id === id)?.windows ?? [];
  const opens = windows.flatMap(({ resetsAtMs = 0 }) => (resetsAtMs > nowMs ? [resetsAtMs] : []));
  return opens.length === 0 ? undefined : Math.min(...opens);
}
