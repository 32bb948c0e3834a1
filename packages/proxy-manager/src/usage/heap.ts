interface Node<Item> {
  readonly id: string;
  item: Item;
  position: number;
}

/** A binary heap that also finds its items: ordered by `before`, one item per id. */
export class Heap<Item> {
  readonly #before: (a: Item, b: Item) => boolean;
  readonly #nodes: Node<Item>[] = [];
  readonly #byId = new Map<string, Node<Item>>();

  constructor(before: (a: Item, b: Item) => boolean) {
    this.#before = before;
  }

  set(id: string, item: Item): void {
    let node = this.#byId.get(id);
    if (node === undefined) {
      node = { id, item, position: this.#nodes.length };
      this.#nodes.push(node);
      this.#byId.set(id, node);
    } else node.item = item;
    this.#rise(node);
    this.#sink(node);
  }

  delete(id: string): void {
    const node = this.#byId.get(id);
    if (node === undefined) return;
    this.#byId.delete(id);
    const last = this.#nodes.pop();
    if (last === undefined || last === node) return;
    this.#put(last, node.position);
    this.#rise(last);
    this.#sink(last);
  }

  /** Visits in order until `visit` gives true; the heap must not be changed meanwhile. */
  each(visit: (id: string, item: Item) => boolean): void {
    const visited: { readonly id: string; readonly item: Item }[] = [];
    try {
      for (let top = this.#nodes[0]; top !== undefined; top = this.#nodes[0]) {
        if (visit(top.id, top.item)) break;
        visited.push({ id: top.id, item: top.item });
        this.delete(top.id);
      }
    } finally {
      for (const { id, item } of visited) this.set(id, item);
    }
  }

  #rise(node: Node<Item>): void {
    while (node.position > 0) {
      const parent = this.#nodes[(node.position - 1) >> 1];
      if (parent === undefined || !this.#before(node.item, parent.item)) return;
      this.#swap(node, parent);
    }
  }

  #sink(node: Node<Item>): void {
    for (;;) {
      const left = this.#nodes[2 * node.position + 1];
      const right = this.#nodes[2 * node.position + 2];
      const first = right !== undefined && left !== undefined && this.#before(right.item, left.item) ? right : left;
      if (first === undefined || !this.#before(first.item, node.item)) return;
      this.#swap(node, first);
    }
  }

  #swap(a: Node<Item>, b: Node<Item>): void {
    const { position } = a;
    this.#put(a, b.position);
    this.#put(b, position);
  }

  #put(node: Node<Item>, position: number): void {
    this.#nodes[position] = node;
    node.position = position;
  }
}
