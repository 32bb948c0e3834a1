import { ConfigError } from '../errors.js';
import type { SecretPattern } from '../pipeline/secret-pattern.js';
import { patternOf } from '../pipeline/secret-pattern.js';
import { unpacked } from '../pipeline/unpacked.js';
import type { Secret } from '../secret.js';
import { TransportFault } from '../transport/fault.js';
import type { WireReply } from '../transport/transport.js';

/** Writes `{key}` over the secrets of one lease wherever they come back: in a reply's head, its url, or an error. */
export class Masker {
  readonly #patterns: readonly SecretPattern[];

  /** `further` ones come beside those of the secrets. */
  constructor(secrets: readonly (Secret | undefined)[], further: readonly SecretPattern[] = []) {
    const patterns = secrets.filter((secret) => secret !== undefined).map(patternOf);
    this.#patterns = further.length === 0 ? patterns : [...new Set([...patterns, ...further])];
  }

  finds(text: string): boolean {
    return this.#patterns.some((pattern) => pattern.in(text));
  }

  /** Also within what is compressed, as bytes that say so themselves or by their content `coding`. */
  findsInBytes(content: Uint8Array, coding?: string): boolean {
    if (this.#patterns.length === 0) return false;
    if (this.#patterns.some((pattern) => pattern.inBytes(content))) return true;
    const inner = unpacked(content, coding);
    return inner === 'too large' || (inner !== undefined && this.#patterns.some((pattern) => pattern.inBytes(inner)));
  }

  text(text: string): string {
    return this.#patterns.reduce((masked, pattern) => pattern.hide(masked), text);
  }

  /** The reply with a clean head; the body is the caller's, as the server sent it. */
  reply(reply: WireReply): WireReply {
    const url = this.#patterns.reduce((masked, pattern) => pattern.hideInUrl(masked), reply.url);
    return { ...reply, ...this.#head(reply), url };
  }

  #head({ headers, statusText }: Pick<WireReply, 'headers' | 'statusText'>): Pick<WireReply, 'headers' | 'statusText'> {
    // One search over all of them: nearly always there is nothing to find.
    let all = '';
    for (const [name, value] of headers) all += `${name}\n${value}\n`;
    return {
      statusText: this.text(statusText),
      headers: this.finds(all) ? headers.map(([name, value]) => [this.text(name), this.text(value)] as const) : headers,
    };
  }

  /** The error, or one that says the same without the secret and without its cause, which may hold it as well. */
  error(error: unknown): unknown {
    if (error instanceof TransportFault && (this.finds(error.message) || error.received !== undefined)) {
      const { phase, sent, received } = error;
      const where = { phase, sent, received: received && { ...received, ...this.#head(received) } };
      return new TransportFault(error.code, this.text(error.message), where);
    }
    if (error instanceof ConfigError && this.finds(error.message)) {
      return new ConfigError(
        'send',
        error.problems.map((problem) => this.text(problem)),
      );
    }
    return error;
  }
}
