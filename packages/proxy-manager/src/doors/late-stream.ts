/** Where a stream comes from that is made late. */
export interface LateSource {
  /** True as soon as the stream is made, or what it would give was taken. */
  readonly isTouched: () => boolean;
  /** Makes it; afterwards the same one. */
  readonly stream: () => ReadableStream;
  /** Two in its place. */
  readonly tee: () => ReadableStream[];
}

/** By which Node tells whether a stream was read from or cancelled. */
const DISTURBED = Symbol.for('nodejs.stream.disturbed');

/**
 * Passes for a `ReadableStream`, and makes it when somebody reads: whatever wants to have one from the start pays for none
 * until then.
 */
export class LateStream {
  /** To be set before anybody reads. */
  source: LateSource | undefined;

  get locked(): boolean {
    return this.#touched()?.locked ?? false;
  }

  get isDisturbed(): unknown {
    const touched = this.#touched();
    return touched !== undefined && Reflect.get(touched, DISTURBED);
  }

  getReader(...words: Parameters<ReadableStream['getReader']>): unknown {
    return this.#made().getReader(...words);
  }

  tee(): ReadableStream[] {
    return this.#known().tee();
  }

  cancel(reason?: unknown): Promise<void> {
    return this.#made().cancel(reason);
  }

  pipeTo(...words: Parameters<ReadableStream['pipeTo']>): Promise<void> {
    return this.#made().pipeTo(...words);
  }

  pipeThrough(...words: Parameters<ReadableStream['pipeThrough']>): unknown {
    return this.#made().pipeThrough(...words);
  }

  values(...words: Parameters<ReadableStream['values']>): unknown {
    return this.#made().values(...words);
  }

  [Symbol.asyncIterator](): unknown {
    return this.values();
  }

  #touched(): ReadableStream | undefined {
    return this.source?.isTouched() === true ? this.#made() : undefined;
  }

  #made(): ReadableStream {
    return this.#known().stream();
  }

  #known(): LateSource {
    if (this.source === undefined) throw new TypeError('this stream has no source yet');
    return this.source;
  }
}

// By its prototype alone: to extend the class would make a stream.
Object.setPrototypeOf(LateStream.prototype, ReadableStream.prototype);
Object.defineProperty(LateStream.prototype, DISTURBED, {
  get(this: LateStream) {
    return this.isDisturbed;
  },
});
