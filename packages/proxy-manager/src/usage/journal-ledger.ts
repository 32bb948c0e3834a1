import type { Entry, LedgerHead, LedgerIndex, SectionHead, Shelf } from '../pool/ledger-index.js';
import type { NodeRecord, Place } from '../pool/node-record.js';
import { MemoryShelf } from './memory-ledger.js';
import type { RecordChange } from './record-change.js';
import { changed, changeOf, FRESH, isSame, wholeOf } from './record-change.js';

/** What a ledger has come to: its clock, the last number given, and the records of nodes. */
export type Change = readonly [
  takes: number,
  nowMs: number,
  keys: readonly RecordChange[],
  proxies: readonly RecordChange[],
];

/** By no meters and limits: whoever asks next makes the orders anew. */
const NO_ORDER: SectionHead = { stamp: '', quietUntilMs: Infinity };

/**
 * The ledger of one endpoint in memory, which tells what its verbs have changed, takes it back, and takes up what others
 * have changed. Orders are its own affair: a node whose record comes from elsewhere is due, as after the end of a window.
 */
export class JournalLedger implements LedgerIndex {
  readonly #shelves = { key: new NotingShelf(), proxy: new NotingShelf() };
  #head: LedgerHead = { takes: 0, nowMs: 0, key: NO_ORDER, proxy: NO_ORDER };
  /** As of the last change that is written down, of this process or another one. */
  #written = { takes: 0, nowMs: 0 };

  head(): LedgerHead {
    return this.#head;
  }

  setHead(head: LedgerHead): void {
    this.#head = head;
  }

  shelf(kind: 'key' | 'proxy'): Shelf {
    return this.#shelves[kind];
  }

  /** What is to be written down; undefined where nothing has changed. */
  changes(): Change | undefined {
    const { takes, nowMs } = this.#head;
    const keys = this.#shelves.key.changes();
    const proxies = this.#shelves.proxy.changes();
    if (keys.length === 0 && proxies.length === 0 && nowMs >= this.#written.nowMs) return undefined;
    return [takes, nowMs, keys, proxies];
  }

  /** `change`, if anything has changed, is written down. */
  keep(change?: Change): void {
    if (change !== undefined) this.#written = { takes: change[0], nowMs: change[1] };
    this.#shelves.key.keep();
    this.#shelves.proxy.keep();
  }

  /** Takes back what has changed since then. */
  undo(): void {
    const { takes, nowMs } = this.#written;
    const isSetBack = this.#head.nowMs < nowMs;
    this.#shelves.key.undo();
    this.#shelves.proxy.undo();
    this.#lookAnew(isSetBack, takes, nowMs);
  }

  /** Forgets the orders too: a verb that failed may have left them half made. */
  forgetOrders(): void {
    this.#head = { ...this.#head, key: NO_ORDER, proxy: NO_ORDER };
  }

  /** Takes up what is written down. */
  apply([takes, nowMs, keys, proxies]: Change): void {
    const isSetBack = nowMs < this.#written.nowMs;
    for (const change of keys) this.#shelves.key.apply(change);
    for (const change of proxies) this.#shelves.proxy.apply(change);
    this.#written = { takes, nowMs };
    this.#lookAnew(isSetBack, takes, nowMs);
  }

  /** All there is. */
  whole(): Change {
    const { takes, nowMs } = this.#written;
    return [takes, nowMs, this.#shelves.key.all(), this.#shelves.proxy.all()];
  }

  #lookAnew(isSetBack: boolean, takes: number, writtenMs: number): void {
    const { nowMs, key, proxy } = this.#head;
    this.#head = isSetBack
      ? { takes, nowMs: writtenMs, key: NO_ORDER, proxy: NO_ORDER }
      : {
          takes,
          nowMs: Math.max(nowMs, writtenMs),
          key: { stamp: key.stamp, quietUntilMs: 0 },
          proxy: { stamp: proxy.stamp, quietUntilMs: 0 },
        };
  }
}

/** Notes how each node was before it was first put. */
class NotingShelf extends MemoryShelf {
  readonly #before = new Map<string, NodeRecord>();

  override put(id: string, group: string, entry: Entry, from: Place | undefined): void {
    if (!this.#before.has(id)) this.#before.set(id, this.#recordOf(id));
    super.put(id, group, entry, from);
  }

  changes(): RecordChange[] {
    const changes: RecordChange[] = [];
    for (const [id, before] of this.#before) {
      const change = changeOf(id, before, this.#recordOf(id));
      if (change !== undefined) changes.push(change);
    }
    return changes;
  }

  keep(): void {
    this.#before.clear();
  }

  undo(): void {
    for (const [id, before] of this.#before) if (!isSame(before, this.#recordOf(id))) this.replace(id, before);
    this.#before.clear();
  }

  apply(change: RecordChange): void {
    const [id] = change;
    this.replace(id, changed(this.#recordOf(id), change));
  }

  all(): RecordChange[] {
    return Array.from(this.ids(), (id) => [id, this.#recordOf(id)] as const)
      .filter(([, record]) => !isSame(FRESH, record))
      .map(([id, record]) => wholeOf(id, record));
  }

  #recordOf(id: string): NodeRecord {
    return this.get(id)?.record ?? FRESH;
  }
}
