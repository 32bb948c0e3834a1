import type { Demand, Refusal, Section } from '../usage/usage-store.js';
import type { Shelf } from './ledger-index.js';
import type { Node, SectionFacts } from './node.js';
import { factsOf, pathTo } from './node.js';
import type { NodeRecord, Place } from './node-record.js';
import { rankOf, readyAtMs, recordAt, staleAtMs } from './node-record.js';

/** A node as it stands now. */
export interface Candidate {
  readonly node: Node;
  readonly record: NodeRecord;
  /** Where it stands in the orders; undefined: nowhere yet. */
  readonly place: Place | undefined;
}

/** So many nodes are looked at anew in one step: after a pause of all, thousands may be due. */
const DUE_AT_ONCE = 32;

/** The orders of one section at one moment: who is ready and comes first, and who is to be looked at when. */
export class Orders {
  readonly section: Section;
  readonly #shelf: Shelf;
  readonly #facts: SectionFacts;
  readonly #nowMs: number;
  #quietUntilMs: number;

  constructor(shelf: Shelf, section: Section, nowMs: number, quietUntilMs: number) {
    this.section = section;
    this.#shelf = shelf;
    this.#facts = factsOf(section);
    this.#nowMs = nowMs;
    this.#quietUntilMs = quietUntilMs;
  }

  /** Before this no node is to be looked at anew, in epoch ms. */
  get quietUntilMs(): number {
    return this.#quietUntilMs;
  }

  /** Places all nodes anew, over the records that are there. */
  enrol(): void {
    this.#shelf.clearPlaces();
    this.#quietUntilMs = Infinity;
    // Meters first, since an account stands where its meters let it.
    for (const node of [...this.#facts.nodes.values()].toSorted((a, b) => b.group.length - a.group.length)) {
      const record = recordAt(this.#shelf.get(node.id)?.record, node, this.#nowMs);
      this.#place(node, record, undefined);
    }
  }

  /** Looks anew at nodes that are due, and tells whether all of them were. */
  wake(): boolean {
    if (this.#quietUntilMs <= this.#nowMs) this.#wakeGroup('');
    return this.#quietUntilMs > this.#nowMs;
  }

  /** The meter to use next, followed by its account; or when there will be one. */
  choose(demand: Demand, pin: string | undefined): readonly Candidate[] | Refusal {
    const { kind } = this.section;
    if (pin !== undefined) {
      const retryAtMs = this.#pathReadyMs(pin, demand);
      return retryAtMs <= this.#nowMs ? this.path(pin) : { granted: false, kind, retryAtMs };
    }
    let chosen: readonly Candidate[] | undefined;
    let isDone = false;
    do {
      isDone = this.wake();
      chosen = this.#next(demand);
    } while (chosen === undefined && !isDone);
    if (chosen !== undefined) return chosen;
    // Who rests for this take alone may stand among the ready ones.
    const restingMs = [...(demand.resting?.keys() ?? [])].map((id) => this.#pathReadyMs(id, demand));
    return { granted: false, kind, retryAtMs: Math.min(this.#earliestMs('', demand), ...restingMs) };
  }

  /** A node's record as it stands now. */
  at(node: Node): Candidate {
    const entry = this.#shelf.get(node.id);
    return { node, record: recordAt(entry?.record, node, this.#nowMs), place: entry?.place };
  }

  /** The meter of this id, followed by its account; empty where there is none. */
  path(meterId: string): readonly Candidate[] {
    return pathTo(this.#facts, meterId).map((node) => this.at(node));
  }

  /** Stores the changed records of a path, whose places are those that they still have. */
  store(path: readonly Candidate[]): void {
    for (const { node, record, place } of path) this.#place(node, record, place);
  }

  #place(node: Node, record: NodeRecord, from: Place | undefined): void {
    const place = this.#placeOf(node, record);
    this.#shelf.put(node.id, node.group, { record, place }, from);
    if (node.group === '') this.#quietUntilMs = Math.min(this.#quietUntilMs, place.wakeAtMs ?? Infinity);
  }

  /** An account is ready when it and one of its meters are, and is looked at when one of these is. */
  #placeOf(node: Node, record: NodeRecord): Place {
    let readyMs = readyAtMs(record, node, 1);
    let staleMs = staleAtMs(record, node);
    if (node.meter === undefined) {
      const wakingMs = this.#firstWaking(node.id);
      if (!this.#hasReady(node.id)) readyMs = Math.max(readyMs, wakingMs);
      staleMs = Math.min(staleMs, wakingMs);
    }
    const wakeAtMs = readyMs > this.#nowMs ? readyMs : staleMs;
    return {
      rank: readyMs > this.#nowMs ? undefined : rankOf(record, node),
      wakeAtMs: wakeAtMs === Infinity ? undefined : wakeAtMs,
    };
  }

  #hasReady(group: string): boolean {
    let has = false;
    this.#shelf.eachReady(group, () => (has = true));
    return has;
  }

  #firstWaking(group: string): number {
    let first = Infinity;
    this.#shelf.eachWaking(group, (_, wakeAtMs) => {
      first = wakeAtMs;
      return true;
    });
    return first;
  }

  #wakeGroup(group: string): void {
    const due: string[] = [];
    let nextMs = Infinity;
    this.#shelf.eachWaking(group, (id, wakeAtMs) => {
      if (wakeAtMs <= this.#nowMs && due.length < DUE_AT_ONCE) due.push(id);
      else nextMs = wakeAtMs;
      return nextMs !== Infinity;
    });
    if (group === '') this.#quietUntilMs = nextMs;
    for (const id of due) {
      const node = this.#facts.nodes.get(id);
      if (node === undefined) continue;
      if (node.meter === undefined) this.#wakeGroup(node.id);
      this.store([this.at(node)]);
    }
  }

  #pathReadyMs(meterId: string, demand: Demand): number {
    const path = this.path(meterId);
    return path.length === 0 ? Infinity : Math.max(...path.map((one) => this.#readyMs(one, demand)));
  }

  #next(demand: Demand): readonly Candidate[] | undefined {
    let chosen: readonly Candidate[] | undefined;
    let avoided: readonly Candidate[] | undefined;
    const visit = (id: string, account: readonly Candidate[]): boolean => {
      const node = this.#facts.nodes.get(id);
      if (node === undefined) return false;
      const candidate = this.at(node);
      if (this.#readyMs(candidate, demand) > this.#nowMs) return false;
      const { meter } = node;
      if (meter === undefined) this.#shelf.eachReady(id, (member) => visit(member, [candidate]));
      else if (demand.avoid?.has(meter.id) === true) avoided ??= [candidate, ...account];
      else chosen = [candidate, ...account];
      return chosen !== undefined;
    };
    this.#shelf.eachReady('', (id) => visit(id, []));
    return chosen ?? avoided;
  }

  /** When the first meter of a group can be taken; Infinity when none ever can. */
  #earliestMs(group: string, demand: Demand): number {
    let earliest = Infinity;
    this.#shelf.eachWaking(group, (id, wakeAtMs) => {
      if (wakeAtMs >= earliest) return true;
      const node = this.#facts.nodes.get(id);
      if (node === undefined) return false;
      const ownMs = this.#readyMs(this.at(node), demand);
      const memberMs = node.meter === undefined ? this.#earliestMemberMs(id, demand) : -Infinity;
      earliest = Math.min(earliest, Math.max(ownMs, memberMs));
      return false;
    });
    return earliest;
  }

  /** When the first meter of an account can be taken, whatever the account says. */
  #earliestMemberMs(account: string, demand: Demand): number {
    let earliest = this.#earliestMs(account, demand);
    this.#shelf.eachReady(account, (id) => {
      const node = this.#facts.nodes.get(id);
      if (node !== undefined && this.#readyMs(this.at(node), demand) <= this.#nowMs) earliest = -Infinity;
      return earliest === -Infinity;
    });
    return earliest;
  }

  #readyMs({ node, record }: Candidate, { cost, resting }: Demand): number {
    const restingMs = (node.meter && resting?.get(node.meter.id)) ?? 0;
    return Math.max(readyAtMs(record, node, cost), restingMs);
  }
}
