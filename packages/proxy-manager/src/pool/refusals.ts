/**
 * Refused keys of which it is not known yet whether it is them or the way they are sent: only where another key of the
 * same endpoint is accepted afterwards does a refusal count. Of this process alone, which may send them wrongly.
 */
export class Refusals {
  readonly #open = new Map<string, Set<string>>();

  refused(endpoint: string, key: string): void {
    const keys = this.#open.get(endpoint);
    if (keys === undefined) this.#open.set(endpoint, new Set([key]));
    else keys.add(key);
  }

  /** Notes that `key` was accepted; gives the others whose refusal counts now. */
  accepted(endpoint: string, key: string): readonly string[] {
    const keys = this.#open.get(endpoint);
    if (keys === undefined) return NONE;
    this.#open.delete(endpoint);
    return [...keys].filter((each) => each !== key);
  }
}

const NONE: readonly string[] = Object.freeze([]);
