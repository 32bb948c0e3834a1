import { close, closeSync, fdatasync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';

/** How long what is appended may lie there unflushed. */
const FLUSH_MS = 1_000;

/** One generation of a journal, open for reading and appending, and flushed behind that. */
export class JournalFile {
  readonly generation: number;
  readonly #file: number;
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> | undefined;

  constructor(path: string, generation: number) {
    this.generation = generation;
    this.#file = openSync(path, 'a+');
  }

  size(): number {
    return fstatSync(this.#file).size;
  }

  /** All that lies there from `offset` on. */
  read(offset: number): Buffer {
    const bytes = Buffer.allocUnsafe(this.size() - offset);
    let length = 0;
    while (length < bytes.length) {
      const read = readSync(this.#file, bytes, length, bytes.length - length, offset + length);
      if (read === 0) throw new Error('a journal has become shorter');
      length += read;
    }
    return bytes;
  }

  /** Appends behind whatever lies there by now, and tells how many bytes: where there is no room, only a beginning. */
  append(text: string): number {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#flushing = this.#flush();
    }, FLUSH_MS).unref();
    return writeSync(this.#file, text);
  }

  /** Flushes what is not flushed yet, and closes. */
  async close(): Promise<void> {
    await this.#flushing;
    if (this.#timer !== undefined) {
      clearTimeout(this.#timer);
      await this.#flush();
    }
    await promisify(close)(this.#file);
  }

  /** Closes what nobody has written to. */
  closeSync(): void {
    closeSync(this.#file);
  }

  /** A flush that fails is made again with the next one. */
  #flush(): Promise<void> {
    return promisify(fdatasync)(this.#file).catch(() => {});
  }
}
