/** Work that closing waits for. */
export class Pending {
  readonly #works = new Set<Promise<unknown>>();

  track<T>(work: Promise<T>): Promise<T> {
    this.#works.add(work);
    const ended = (): void => void this.#works.delete(work);
    work.then(ended, ended);
    return work;
  }

  /** Resolves when everything tracked so far has ended, however. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#works);
  }
}
