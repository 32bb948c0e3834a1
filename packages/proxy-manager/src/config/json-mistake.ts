/** Where a JSON text goes wrong, both counted from 1. */
export interface JsonMistake {
  readonly line: number;
  readonly column: number;
  readonly expected: string;
}

/**
 * The first mistake of a JSON text, or undefined when it is well-formed and no object names a field twice.
 *
 * `JSON.parse` says where only for some mistakes, and quotes the text around others: that text may be a key. It
 * also keeps the last of two equal names in silence, so that half of a pool could be lost.
 */
export function findJsonMistake(text: string): JsonMistake | undefined {
  const reader = new Reader(text);
  try {
    reader.value();
    reader.end();
    return undefined;
  } catch (error) {
    if (error instanceof Unexpected) return { ...position(text, error.offset), expected: error.expected };
    throw error;
  }
}

class Unexpected extends Error {
  readonly offset: number;
  readonly expected: string;

  constructor(offset: number, expected: string) {
    super(expected);
    this.offset = offset;
    this.expected = expected;
  }
}

const STRING = /"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const SCALAR = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/y;
const SPACE = /[ \t\r\n]*/y;

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(): void {
    this.#match(SPACE);
    if (this.#take('{')) this.#members();
    else if (this.#take('[')) this.#items();
    else if (this.#match(STRING) === undefined && this.#match(SCALAR) === undefined) this.#fail('a value');
    this.#match(SPACE);
  }

  end(): void {
    if (this.#at < this.#text.length) this.#fail('the end of the file');
  }

  #members(): void {
    const names = new Set<string>();
    this.#match(SPACE);
    if (this.#take('}')) return;
    do {
      this.#match(SPACE);
      const start = this.#at;
      const name = this.#match(STRING) ?? this.#fail('a field name in double quotes');
      if (names.has(name)) throw new Unexpected(start, 'every field of an object once, this one stands there already');
      names.add(name);
      this.#match(SPACE);
      if (!this.#take(':')) this.#fail('":"');
      this.value();
    } while (this.#take(','));
    if (!this.#take('}')) this.#fail('"," or "}"');
  }

  #items(): void {
    this.#match(SPACE);
    if (this.#take(']')) return;
    do this.value();
    while (this.#take(','));
    if (!this.#take(']')) this.#fail('"," or "]"');
  }

  #match(token: RegExp): string | undefined {
    token.lastIndex = this.#at;
    const found = token.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #take(mark: string): boolean {
    if (this.#text[this.#at] !== mark) return false;
    this.#at += 1;
    return true;
  }

  #fail(expected: string): never {
    const rest = this.#text.slice(this.#at, this.#at + 2);
    const found =
      rest === ''
        ? ', found the end of the file'
        : rest === '//' || rest === '/*'
          ? ', found a comment (JSON has none)'
          : /^[{}[\],:']/.test(rest)
            ? `, found ${rest[0]}`
            : '';
    throw new Unexpected(this.#at, expected + found);
  }
}

function position(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
