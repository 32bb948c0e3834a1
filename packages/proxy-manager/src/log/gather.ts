/**
 * Until when others are waited for: the end of this turn of the event loop, or of the tick, which is the code that runs
 * now and what it resolves. A turn costs more than what waits for nothing else.
 */
export type GatheredUntil = 'tick' | 'turn';

/** Collects what comes together, for one `put`. */
export interface Gathering<Item> {
  /** Resolves when the item was put. */
  add(item: Item, until?: GatheredUntil): Promise<void>;
  /** Puts at once what is there. */
  putNow(): void;
}

/** After so many ticks that had something comes a turn: sockets and timers must get theirs. */
const TICKS_IN_A_TURN = 32;

/** `put` must not throw. */
export function gathering<Item>(put: (items: readonly Item[]) => void): Gathering<Item> {
  let items: Item[] = [];
  let batch: { readonly done: Promise<void>; readonly end: () => void } | undefined;
  let ticks = 0;

  function putNow(): void {
    if (batch === undefined) return;
    const gathered = items;
    const { end } = batch;
    items = [];
    batch = undefined;
    put(gathered);
    end();
  }

  function putAtTurn(): void {
    ticks = 0;
    putNow();
  }

  return {
    add(item, until = 'turn') {
      items.push(item);
      if (batch === undefined) {
        let end = (): void => {};
        const done = new Promise<void>((resolve) => {
          end = resolve;
        });
        batch = { done, end };
        if (until === 'turn' || ++ticks > TICKS_IN_A_TURN) setImmediate(putAtTurn);
        else void Promise.resolve().then(putNow);
      }
      return batch.done;
    },
    putNow,
  };
}
