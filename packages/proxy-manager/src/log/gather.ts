/** Collects what comes within one turn of the event loop, for one `put` at its end. */
export interface Gathering<Item> {
  /** Resolves when the item was put. */
  add(item: Item): Promise<void>;
  /** Puts at once what is there. */
  putNow(): void;
}

/** `put` must not throw. */
export function gathering<Item>(put: (items: readonly Item[]) => void): Gathering<Item> {
  let items: Item[] = [];
  let turn: { readonly done: Promise<void>; readonly end: () => void } | undefined;

  function putNow(): void {
    if (turn === undefined) return;
    const gathered = items;
    const { end } = turn;
    items = [];
    turn = undefined;
    put(gathered);
    end();
  }

  return {
    add(item) {
      items.push(item);
      if (turn === undefined) {
        let end = (): void => {};
        const done = new Promise<void>((resolve) => {
          end = resolve;
        });
        turn = { done, end };
        setImmediate(putNow);
      }
      return turn.done;
    },
    putNow,
  };
}
