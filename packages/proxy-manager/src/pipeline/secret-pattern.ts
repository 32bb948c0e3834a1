import type { Secret } from '../secret.js';

/** Shorter secrets may be part of ordinary words, and are found only where they stand by themselves. */
const SURELY_A_SECRET = 8;

/** Shorter ones still are found in nothing: masking them would garble more than it hides. */
const SHORTEST = 4;

/** What stands around the inner characters of a value in Base64 and holds the rest of it. */
const BASE64_EDGE = '[A-Za-z0-9+/_-]{0,2}';

const patterns = new WeakMap<Secret, SecretPattern>();

/** The pattern of a secret, made once. */
export function patternOf(secret: Secret): SecretPattern {
  let pattern = patterns.get(secret);
  if (pattern === undefined) {
    pattern = new SecretPattern(secret);
    patterns.set(secret, pattern);
  }
  return pattern;
}

/**
 * Finds a secret in the spellings in which it may stand in urls, headers and bodies: raw in any case, percent-encoded,
 * as a form or JSON writes it, in hex, and within Base64. A proxy's `user:password` is also found by its password alone.
 */
export class SecretPattern {
  /** What is written in its place. With a short secret it says which, since a word may have been taken for it. */
  readonly placeholder: string;
  readonly #expression: RegExp | undefined;
  readonly #needles: readonly string[];
  readonly #isLong: boolean;
  /** No spelling is shorter: most header fields are, and need no search. */
  readonly #shortest: number;

  constructor(secret: Secret) {
    const value = secret.reveal();
    const password = value.slice(value.indexOf(':') + 1);
    const values = (password === value ? [value] : [value, password]).filter(({ length }) => length >= SHORTEST);
    this.#isLong = value.length >= SURELY_A_SECRET;
    this.placeholder = this.#isLong ? '{key}' : `{key:${secret.id}}`;
    this.#expression = values.length === 0 ? undefined : new RegExp(values.map(spellings).join('|'), 'giu');
    this.#shortest = Math.min(...values.flatMap((each) => [each, ...base64Cores(each)]).map(({ length }) => length));
    this.#needles = [...new Set(values.flatMap(byteForms))];
  }

  in(text: string): boolean {
    return text.length >= this.#shortest && this.#expression !== undefined && text.search(this.#expression) !== -1;
  }

  /** By the spellings that matter most, each as fast as memory can be searched. */
  inBytes(content: Uint8Array): boolean {
    const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
    return this.#needles.some((needle) => bytes.includes(needle));
  }

  hide(text: string): string {
    return this.#expression === undefined ? text : text.replace(this.#expression, () => this.placeholder);
  }

  /** The url with the secret hidden behind its host, which stays what it is. */
  hideInUrl(url: URL): URL {
    const rest = url.href.slice(url.origin.length);
    if (!this.in(rest)) return url;
    const hidden = this.hide(rest);
    return new URL(`${url.origin}${hidden.startsWith('/') ? '' : '/'}${hidden}`);
  }

  /** True where the secret, and no word that happens to be one, is part of the url's host. */
  inHost(url: URL): boolean {
    return this.#isLong && this.in(url.host);
  }
}

function spellings(value: string): string {
  const raw = (value.match(/\\+|[^\\]/gu) ?? []).map(spelling).join('');
  const alone = value.length < SURELY_A_SECRET ? `(?<=^|%[0-9a-f]{2}|[^0-9a-z])(?:${raw})(?![0-9a-z])` : raw;
  const encoded = base64Cores(value).map((core) => {
    const eitherAlphabet = core.replaceAll(/[+-]/g, '[+-]').replaceAll(/[/_]/g, '[/_]');
    return `${BASE64_EDGE}${eitherAlphabet}${BASE64_EDGE}={0,2}`;
  });
  const hex = value.length < SURELY_A_SECRET ? [] : [Buffer.from(value).toString('hex')];
  return [alone, ...encoded, ...hex].join('|');
}

/**
 * One character: itself, as JSON escapes it, percent-encoded, both however often, or its UTF-8 bytes read as Latin-1; or
 * all backslashes in a row. No text must be readable in two of these ways: what begins like the secret and then differs
 * would be tried in all combinations, which takes longer than anybody waits.
 */
function spelling(part: string): string {
  if (part.startsWith('\\')) return `(?:\\\\{${part.length},}(?!\\\\)|(?:%(?:25)*5c|\\\\+u005c){${part.length}})`;
  const bytes = Buffer.from(part);
  const percent = [...bytes].map((byte) => `%(?:25)*${byte.toString(16).padStart(2, '0')}`).join('');
  const units = Array.from({ length: part.length }, (_, index) => part.charCodeAt(index));
  const json = units.map((unit) => `\\\\+u${unit.toString(16).padStart(4, '0')}`).join('');
  const forms = [`\\\\*${quoted(part)}`, percent, json];
  if (bytes.length > 1) forms.push(quoted(bytes.toString('latin1')));
  if (part === ' ') forms.push('\\+');
  return `(?:${forms.join('|')})`;
}

/** The inner characters of the value's Base64 at each of its three alignments: those that no neighbour changes. */
function base64Cores(value: string): string[] {
  return [0, 1, 2]
    .map((shift) => {
      const encoded = Buffer.concat([Buffer.alloc(shift), Buffer.from(value)]).toString('base64');
      const bits = (shift + Buffer.byteLength(value)) * 8;
      return encoded.slice(Math.ceil((shift * 8) / 6), Math.floor(bits / 6));
    })
    .filter(({ length }) => length >= SURELY_A_SECRET);
}

function byteForms(value: string): string[] {
  const form = new URLSearchParams([['', value]]).toString().slice(1);
  const json = JSON.stringify(value).slice(1, -1);
  const asciiJson = json.replaceAll(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  const hex = Buffer.from(value).toString('hex');
  const inHex = value.length < SURELY_A_SECRET ? [] : [hex, hex.toUpperCase()];
  return [value, encodeURIComponent(value), form, json, asciiJson, ...inHex, ...base64Cores(value)];
}

function quoted(text: string): string {
  return text.replaceAll(/[$()*+./?[\\\]^{|}]/g, '\\$&');
}
