/** A binary heap that also finds its items: ordered by `before`, one item per id. */
export class Heap<Item> {
  readonly #before: (a: Item, b: Item) => boolean;
  readonly #items: { readonly id: string; readonly item: Item }[] = [];
  readonly #positions = new Map<string, number>();

  constructor(before: (a: Item, b: Item) => boolean) {
    this.#before = before;
  }

  set(id: string, item: Item): void {
    this.delete(id);
    this.#items.push({ id, item });
    this.#positions.set(id, this.#items.length - 1);
    this.#rise(this.#items.length - 1);
  }

  delete(id: string): void {
    const position = this.#positions.get(id);
    if (position === undefined) return;
    const last = this.#items.length - 1;
    this.#swap(position, last);
    this.#items.pop();
    this.#positions.delete(id);
    if (position < last) {
      this.#rise(position);
      this.#sink(position);
    }
  }

  clear(): void {
    this.#items.length = 0;
    this.#positions.clear();
  }

  /** Visits in order until `visit` gives true; the heap must not be changed meanwhile. */
  each(visit: (id: string, item: Item) => boolean): void {
    const visited: { readonly id: string; readonly item: Item }[] = [];
    try {
      for (let top = this.#items[0]; top !== undefined; top = this.#items[0]) {
        if (visit(top.id, top.item)) break;
        visited.push(top);
        this.delete(top.id);
      }
    } finally {
      for (const { id, item } of visited) this.set(id, item);
    }
  }

  #rise(start: number): void {
    let position = start;
    while (position > 0) {
      const parent = (position - 1) >> 1;
      if (!this.#isBefore(position, parent)) return;
      this.#swap(position, parent);
      position = parent;
    }
  }

  #sink(start: number): void {
    let position = start;
    for (;;) {
      const left = 2 * position + 1;
      let first = position;
      if (this.#isBefore(left, first)) first = left;
      if (this.#isBefore(left + 1, first)) first = left + 1;
      if (first === position) return;
      this.#swap(position, first);
      position = first;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [x, y] = [this.#items[a], this.#items[b]];
    return x !== undefined && y !== undefined && this.#before(x.item, y.item);
  }

  #swap(a: number, b: number): void {
    const [x, y] = [this.#items[a], this.#items[b]];
    if (x === undefined || y === undefined) return;
    this.#items[a] = y;
    this.#items[b] = x;
    this.#positions.set(y.id, a);
    this.#positions.set(x.id, b);
  }
}
