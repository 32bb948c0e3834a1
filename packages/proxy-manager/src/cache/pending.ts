/** Work that closing waits for. */
export class Pending {
  readonly #works = new Set<Promise<unknown>>();

  async track<T>(work: Promise<T>): Promise<T> {
    this.#works.add(work);
    try {
      return await work;
    } finally {
      this.#works.delete(work);
    }
  }

  /** Resolves when everything tracked so far has ended, however. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#works);
  }
}
