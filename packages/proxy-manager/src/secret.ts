import { createHmac } from 'node:crypto';
import { inspect } from 'node:util';

/** Published on purpose: every machine gives one key the same id, so that their logs and counts agree. */
const DEFAULT_FINGERPRINT_KEY = 'proxy-manager/fingerprint/v1';

/**
 * A credential's secret half, which cannot be printed: string conversion, JSON and `inspect` all show its id.
 *
 * Only `reveal()` gives the value. It is called where a secret goes onto the wire (`stages/wire.ts`, which also
 * masks whatever comes back, and `transport/` for a proxy's password) and where the caller asks for it (`getKeyProxy`).
 */
export class Secret {
  readonly id: string;
  readonly #value: string;

  constructor(value: string, id: string) {
    this.#value = value;
    this.id = id;
  }

  reveal(): string {
    return this.#value;
  }

  /** Whether both are the same value, whatever their ids. */
  equals(other: Secret): boolean {
    return this.#value === other.#value;
  }

  toString(): string {
    return `[secret ${this.id}]`;
  }

  toJSON(): string {
    return this.toString();
  }

  // A block, since isolatedDeclarations knows no computed member names.
  static {
    Object.defineProperty(this.prototype, inspect.custom, {
      value(this: Secret) {
        return this.toString();
      },
    });
  }
}

/** The first `bits` (a multiple of 4) of HMAC-SHA256 over `value`, in hex: an id that names a secret and does not tell it. */
export function fingerprint(value: string, key: string = DEFAULT_FINGERPRINT_KEY, bits = 96): string {
  return createHmac('sha256', key)
    .update(value)
    .digest('hex')
    .slice(0, bits / 4);
}
