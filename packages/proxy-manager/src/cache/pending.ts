/** Work that closing waits for. */
export class Pending {
  readonly #works = new Set<Promise<unknown>>();

  track<T>(work: Promise<T>): Promise<T> {
    const ended = (): void => this.end(work);
    work.then(ended, ended);
    return this.begin(work);
  }

  /** As `track`, for whoever waits for it anyhow, and tells its end. */
  begin<T>(work: Promise<T>): Promise<T> {
    this.#works.add(work);
    return work;
  }

  end(work: Promise<unknown>): void {
    this.#works.delete(work);
  }

  /** Resolves when everything tracked so far has ended, however. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#works);
  }
}
