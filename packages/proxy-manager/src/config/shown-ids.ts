import type { Path, Report } from './problem.js';

/** A shorter key stands in many names by chance: `b` in `team-b`. */
const LEAST_OWN = 4;
const LEAST_OTHER = 8;

interface GivenId {
  readonly id: string;
  readonly key: string;
  readonly path: Path;
}

/** The ids that a file gives, which logs show, against all of its keys, which nothing may show. */
export class ShownIds {
  readonly #given: GivenId[] = [];
  readonly #keys = new Set<string>();
  readonly #lengths = new Set<number>();

  addKey(key: string): void {
    const plain = key.toLowerCase();
    this.#keys.add(plain);
    if (plain.length >= LEAST_OTHER) this.#lengths.add(plain.length);
  }

  addId(given: GivenId): void {
    this.#given.push(given);
  }

  /** To be called when all keys are known. */
  report(report: Report): void {
    for (const { id, key, path } of this.#given) {
      const mistake = this.#mistake(id, key);
      if (mistake !== undefined) report(path, `expected a name that may be shown, found ${mistake}`);
    }
  }

  #mistake(id: string, key: string): string | undefined {
    if (id === key) return 'the key itself';
    const forms = [id, decoded(id)].map((form) => form.toLowerCase());
    const own = key.toLowerCase();
    if (own.length >= LEAST_OWN && forms.some((form) => form.includes(own))) return 'one with the key in it';
    if (forms.some((form) => this.#keys.has(form) || this.#holdsKey(form))) return 'a key of this file';
    return undefined;
  }

  /** By the lengths that keys have, since a pool may have thousands of them. */
  #holdsKey(text: string): boolean {
    for (const length of this.#lengths) {
      for (let start = 0; start + length <= text.length; start++) {
        if (this.#keys.has(text.slice(start, start + length))) return true;
      }
    }
    return false;
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
