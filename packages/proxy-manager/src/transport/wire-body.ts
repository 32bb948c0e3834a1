import { Readable } from 'node:stream';

/** A streamed reply: reading asks for more, destroying it before its end hangs up. */
export class WireBody extends Readable {
  readonly #more: () => void;
  readonly #abandon: (error: Error | null) => void;

  constructor(more: () => void, abandon: (error: Error | null) => void) {
    super();
    this.#more = more;
    this.#abandon = abandon;
  }

  override _read(): void {
    this.#more();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#abandon(error);
    done(error);
  }
}
