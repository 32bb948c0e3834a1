import type { WindowSpec } from '../../src/config/resolve.js';
import type { Demand, Pool } from '../../src/usage/usage-store.js';

/** One take as the model knows it. */
export interface Use {
  readonly number: number;
  readonly cost: number;
}

/** Uses that stop counting together. */
interface Part {
  endsMs: number;
  /** The earliest at which the provider's window can have begun. */
  readonly fromMs: number;
  /** Whose arrival a fixed window runs from; undefined: not known yet, the next take's. */
  opener: Use | undefined;
  readonly uses: Set<Use>;
}

const MINUTE_MS = 60_000;

/** A window said once more, as plainly as it can be: every use is kept by itself. Calendars: minutes of UTC. */
class PlainWindow {
  readonly limit: number;
  readonly #spec: WindowSpec;
  #parts: Part[] = [];

  constructor(spec: WindowSpec) {
    this.limit = spec.limit;
    this.#spec = spec;
  }

  tick(nowMs: number): void {
    this.#parts = this.#parts.filter(({ endsMs }) => endsMs > nowMs);
  }

  get used(): number {
    return sum(this.#parts);
  }

  get resetsAtMs(): number | undefined {
    return this.#parts[0]?.endsMs;
  }

  fitsAtMs(cost: number): number {
    if (cost > this.limit) return Infinity;
    const free = (parts: readonly Part[]): boolean => sum(parts) + cost <= this.limit;
    if (free(this.#parts)) return 0;
    const full = this.#parts.findLastIndex((_, index) => !free(this.#parts.slice(index)));
    return this.#parts[full]?.endsMs ?? Infinity;
  }

  count(use: Use, nowMs: number): void {
    const last = this.#parts.at(-1);
    if (!('everyMs' in this.#spec)) {
      const endsMs = this.#slotEndMs(nowMs);
      if (last?.endsMs === endsMs) last.uses.add(use);
      else this.#parts.push({ endsMs, fromMs: nowMs, opener: use, uses: new Set([use]) });
      return;
    }
    const { everyMs, marginMs = 0 } = this.#spec;
    const spanMs = everyMs + marginMs;
    if (last === undefined) {
      this.#parts.push({ endsMs: nowMs + spanMs, fromMs: nowMs, opener: use, uses: new Set([use]) });
    } else if (last.opener !== undefined && nowMs >= last.fromMs + everyMs - marginMs) {
      this.#parts.push({ endsMs: last.endsMs + spanMs, fromMs: nowMs, opener: undefined, uses: new Set([use]) });
    } else {
      last.uses.add(use);
      if (last.opener === undefined && this.#parts.length === 1) {
        last.opener = use;
        last.endsMs = nowMs + spanMs;
      }
    }
  }

  arrive(use: Use, nowMs: number): void {
    const own = this.#parts.find(({ uses }) => uses.has(use));
    if (!('everyMs' in this.#spec)) {
      if (own !== undefined && own.endsMs >= this.#slotEndMs(nowMs)) return;
      this.#remove(own, use);
      this.count(use, nowMs);
      return;
    }
    const endsMs = nowMs + this.#spec.everyMs + (this.#spec.marginMs ?? 0);
    const last = this.#parts.at(-1);
    if (own !== undefined) {
      if (own.opener === use || own.opener === undefined) this.#prolong(own, endsMs);
    } else if (last === undefined) {
      this.#parts.push({ endsMs, fromMs: nowMs, opener: undefined, uses: new Set([use]) });
    } else last.uses.add(use);
  }

  giveBack(use: Use, nowMs: number): void {
    const own = this.#parts.find(({ uses }) => uses.has(use));
    this.#remove(own, use);
    if (own === undefined || !('everyMs' in this.#spec)) return;
    const spanMs = this.#spec.everyMs + (this.#spec.marginMs ?? 0);
    if (own.uses.size === 0) {
      for (const [index, part] of this.#parts.entries()) {
        part.endsMs = Math.min(part.endsMs, nowMs + (index + 1) * spanMs);
      }
    } else if (own.opener === use) {
      own.opener = undefined;
      this.#prolong(own, nowMs + spanMs);
    }
  }

  #slotEndMs(nowMs: number): number {
    const { marginMs = 0 } = this.#spec;
    if ('withinMs' in this.#spec) return nowMs + this.#spec.withinMs + marginMs;
    return (Math.floor((nowMs + marginMs) / MINUTE_MS) + 1) * MINUTE_MS + marginMs;
  }

  #remove(own: Part | undefined, use: Use): void {
    own?.uses.delete(use);
    this.#parts = this.#parts.filter(({ uses }) => uses.size > 0);
  }

  #prolong(own: Part, endsMs: number): void {
    const laterMs = Math.max(0, endsMs - own.endsMs);
    const at = this.#parts.indexOf(own);
    for (const part of at === -1 ? [] : this.#parts.slice(at)) part.endsMs += laterMs;
  }
}

const sum = (parts: readonly Part[]): number =>
  parts.flatMap(({ uses }) => [...uses]).reduce((total, { cost }) => total + cost, 0);

/** A meter or an account. */
class PlainNode {
  readonly id: string;
  readonly position: number;
  readonly windows: readonly PlainWindow[];
  readonly members: PlainNode[] = [];
  total = 0;
  lastTake = 0;
  restUntilMs = 0;

  constructor(id: string, position: number, specs: readonly WindowSpec[]) {
    this.id = id;
    this.position = position;
    this.windows = specs.map((spec) => new PlainWindow(spec));
  }

  get #uses(): number {
    return this.windows.length === 0 ? this.total : Math.max(...this.windows.map(({ used }) => used));
  }

  readyAtMs(cost: number): number {
    return Math.max(this.restUntilMs, ...this.windows.map((window) => window.fitsAtMs(cost)));
  }

  comesBefore(other: PlainNode): number {
    return this.#uses - other.#uses || this.lastTake - other.lastTake || this.position - other.position;
  }
}

interface PlainTicket {
  readonly use: Use;
  readonly path: readonly PlainNode[];
}

/** The ledger of one section as plainly as it can be: it looks at every meter, every time. */
export class PlainLedger {
  readonly #meters = new Map<string, readonly PlainNode[]>();
  readonly #top: PlainNode[] = [];
  #takes = 0;
  #nowMs: number;

  constructor({ sections: [section] }: Pool, nowMs: number) {
    this.#nowMs = nowMs;
    const accounts = new Map<string, PlainNode>();
    for (const [position, { id, windows, account }] of (section?.meters ?? []).entries()) {
      const meter = new PlainNode(id, position, windows);
      if (account === undefined || account.windows.length === 0) {
        this.#top.push(meter);
        this.#meters.set(id, [meter]);
        continue;
      }
      const shared = accounts.get(account.id) ?? new PlainNode(account.id, position, account.windows);
      if (!accounts.has(account.id)) this.#top.push(shared);
      accounts.set(account.id, shared);
      shared.members.push(meter);
      this.#meters.set(id, [meter, shared]);
    }
  }

  /** A clock that steps back does not. */
  tick(nowMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, nowMs);
    for (const { windows } of this.#nodes()) {
      for (const window of windows) window.tick(this.#nowMs);
    }
  }

  take({ cost, pin, avoid, resting }: Omit<Demand, 'pool'>): PlainTicket | { readonly retryAtMs: number } {
    const readyAtMs = (node: PlainNode): number => Math.max(node.readyAtMs(cost), resting?.get(node.id) ?? 0);
    const isReady = (node: PlainNode): boolean => readyAtMs(node) <= this.#nowMs;
    const path = (id = ''): readonly PlainNode[] => this.#meters.get(id) ?? [];
    const pathReadyAtMs = (id: string): number => Math.max(...path(id).map(readyAtMs));
    const asked = pin ?? [...this.#meters.keys()];
    const inOrder = this.#top
      .toSorted((a, b) => a.comesBefore(b))
      .flatMap((node) => (node.members.length === 0 ? [node] : node.members.toSorted((a, b) => a.comesBefore(b))))
      .filter(({ id }) => asked.includes(id) && path(id).every(isReady));
    const best = inOrder.find(({ id }) => pin !== undefined || avoid?.has(id) !== true) ?? inOrder[0];
    if (best === undefined) return { retryAtMs: Math.min(...asked.map(pathReadyAtMs)) };
    this.#takes += 1;
    const use: Use = { number: this.#takes, cost };
    for (const node of path(best.id)) {
      node.lastTake = this.#takes;
      node.total += cost;
      for (const window of node.windows) window.count(use, this.#nowMs);
    }
    return { use, path: path(best.id) };
  }

  giveBack({ use, path }: PlainTicket): void {
    for (const node of path) {
      node.total -= use.cost;
      for (const window of node.windows) window.giveBack(use, this.#nowMs);
    }
  }

  arrived({ use, path }: PlainTicket): void {
    for (const { windows } of path) {
      for (const window of windows) window.arrive(use, this.#nowMs);
    }
  }

  rest(id: string, untilMs: number): void {
    const [meter] = this.#meters.get(id) ?? [];
    if (meter !== undefined) meter.restUntilMs = Math.max(meter.restUntilMs, untilMs);
  }

  /** As `UsageStore.read` gives it. */
  counts(): unknown {
    return [...this.#meters].map(([id, path]) => ({
      id,
      total: path[0]?.total,
      restingUntilMs: (path[0]?.restUntilMs ?? 0) > this.#nowMs ? path[0]?.restUntilMs : undefined,
      windows: path.flatMap(({ windows }) =>
        windows.map(({ limit, used, resetsAtMs }) => ({ limit, used, resetsAtMs })),
      ),
    }));
  }

  #nodes(): Set<PlainNode> {
    return new Set([...this.#meters.values()].flat());
  }
}
