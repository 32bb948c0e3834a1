import { ConfigError } from '../errors.js';
import type { SecretPattern } from '../pipeline/secret-pattern.js';
import { patternOf } from '../pipeline/secret-pattern.js';
import { unpacked } from '../pipeline/unpacked.js';
import type { Secret } from '../secret.js';
import { TransportFault } from '../transport/fault.js';
import type { WireReply } from '../transport/transport.js';

type Head = Pick<WireReply, 'headers' | 'statusText'>;

/** Writes `{key}` over the secrets of one lease wherever they come back: in a reply's head, its url, or an error. */
export class Masker {
  readonly #patterns: readonly SecretPattern[];

  /** `further` ones come beside those of the secrets. */
  constructor(secrets: readonly (Secret | undefined)[], further: readonly SecretPattern[] = []) {
    const patterns: SecretPattern[] = [];
    for (const secret of secrets) if (secret !== undefined) patterns.push(patternOf(secret));
    for (const pattern of further) if (!patterns.includes(pattern)) patterns.push(pattern);
    this.#patterns = patterns;
  }

  finds(text: string): boolean {
    for (const pattern of this.#patterns) if (pattern.in(text)) return true;
    return false;
  }

  /** Also within what is compressed, as bytes that say so themselves or by their content `coding`. */
  findsInBytes(content: Uint8Array, coding?: string): boolean {
    if (this.#patterns.length === 0) return false;
    if (this.findsPlainlyIn(content)) return true;
    const inner = unpacked(content, coding);
    return inner === 'too large' || (inner !== undefined && this.#patterns.some((pattern) => pattern.inBytes(inner)));
  }

  findsPlainlyIn(content: Uint8Array): boolean {
    return this.#patterns.some((pattern) => pattern.inBytes(content));
  }

  text(text: string): string {
    return this.#patterns.reduce((masked, pattern) => pattern.hide(masked), text);
  }

  url(url: URL): URL {
    return this.#patterns.reduce((masked, pattern) => pattern.hideInUrl(masked), url);
  }

  /** The very same headers where nothing is found in them. */
  head({ headers, statusText }: Head): Head {
    const isClean = !headers.some(([name, value]) => this.finds(name) || this.finds(value));
    return {
      statusText: this.finds(statusText) ? this.text(statusText) : statusText,
      headers: isClean ? headers : headers.map(([name, value]) => [this.text(name), this.text(value)] as const),
    };
  }

  /** The error, or one that says the same without the secret; where its message held it, its cause may as well. */
  error(error: unknown): unknown {
    const isTold = error instanceof Error && this.finds(error.message);
    if (error instanceof TransportFault && (isTold || error.received !== undefined)) {
      const { phase, sent, received } = error;
      const where = { phase, sent, received: received && { ...received, ...this.head(received) } };
      return new TransportFault(error.code, this.text(error.message), where, isTold ? undefined : error);
    }
    if (error instanceof ConfigError && isTold) {
      return new ConfigError(
        'request',
        error.problems.map((problem) => this.text(problem)),
      );
    }
    return error;
  }
}
