import { Readable } from 'node:stream';
import type { HeaderList } from '../pipeline/headers.js';
import type { LateSource } from './late-stream.js';
import { LateStream } from './late-stream.js';
import { bytesOf, webBody } from './web-body.js';

interface Head {
  readonly status: number;
  readonly statusText: string;
  readonly headers: HeaderList;
  readonly url: URL;
  readonly redirected: boolean;
}

/** Of its members those that are not said anew below: its types know methods as properties, which no method may stand for. */
const Platform: new (...words: ConstructorParameters<typeof Response>) => Pick<Response, 'headers'> = Response;

const utf8 = new TextDecoder();

/** Bodies whose Response was let go before anybody took them: they are hung up, as fetch does it, or keep a socket each. */
const unread = new FinalizationRegistry<Readable>((content) => void content.destroy());

/**
 * A `Response` of the platform with what only fetch itself can give one: `url`, `redirected`, `type`, statuses such as 999,
 * and reasons in any letters. Its text, JSON and bytes are read off what has come; the platform's body, whose streams take
 * longer to make than the rest of the Response, is made when somebody asks for more, also by the methods of
 * `Response.prototype`.
 */
export class FetchResponse extends Platform implements Response {
  readonly #head: Head;
  readonly #content: Readable | ReadableStream | Uint8Array | null;
  readonly #signal: AbortSignal | undefined;
  #isRead = false;
  #platform: Response | undefined;

  constructor(content: Readable | ReadableStream | Uint8Array | null, head: Head, signal?: AbortSignal) {
    const { status, statusText, headers } = head;
    const late = content === null ? undefined : new LateStream();
    super((late as unknown as ReadableStream | undefined) ?? null, {
      status: isUsual(status) ? status : 200,
      statusText: REASON.test(statusText) ? statusText : '',
      headers: withoutPlaceholders(headers) as [string, string][],
    });
    if (late !== undefined) late.source = this.#source();
    this.#head = head;
    this.#content = content;
    this.#signal = signal;
    if (content instanceof Readable) unread.register(this, content, content);
  }

  get url(): string {
    const { href } = this.#head.url;
    const fragment = href.indexOf('#');
    return fragment === -1 ? href : href.slice(0, fragment);
  }

  get redirected(): boolean {
    return this.#head.redirected;
  }

  get type(): Response['type'] {
    return 'basic';
  }

  get status(): number {
    // The platform asks while it makes what this extends.
    return #head in this ? this.#head.status : 200;
  }

  get statusText(): string {
    return this.#head.statusText;
  }

  get ok(): boolean {
    return this.status >= 200 && this.status <= 299;
  }

  get body(): Response['body'] {
    return this.#content === null ? null : this.#whole().body;
  }

  get bodyUsed(): boolean {
    return this.#isRead || (this.#platform?.bodyUsed ?? false);
  }

  async text(): Promise<string> {
    return this.#text();
  }

  async json(): Promise<unknown> {
    const text = this.#text();
    return JSON.parse(typeof text === 'string' ? text : await text);
  }

  /** In memory of its own. */
  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    const taken = this.#taken();
    return new Uint8Array(taken === undefined ? await this.#whole().arrayBuffer() : await taken);
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.bytes()).buffer;
  }

  blob(): Promise<Blob> {
    return this.#whole().blob();
  }

  formData(): Promise<FormData> {
    return this.#whole().formData();
  }

  clone(): Response {
    const isThere = this.#content instanceof Uint8Array && !this.#isRead && this.#platform === undefined;
    return new FetchResponse(isThere ? this.#content : this.#whole().clone().body, this.#head);
  }

  /** Of the body that the methods of `Response.prototype` read. */
  #source(): LateSource {
    const stream = (): ReadableStream => this.#whole().body as ReadableStream;
    return {
      isTouched: () => this.#isRead || this.#platform !== undefined,
      stream,
      tee: () => {
        const clone = this.#whole().clone();
        return [stream(), clone.body as ReadableStream];
      },
    };
  }

  #text(): Promise<string> | string {
    const taken = this.#taken();
    if (taken === undefined) return this.#whole().text();
    return taken instanceof Promise ? taken.then((bytes) => utf8.decode(bytes)) : utf8.decode(taken);
  }

  /** What has come, for one reader; undefined where the platform has it, or somebody took it. */
  #taken(): Promise<Uint8Array> | Uint8Array | undefined {
    const content = this.#content;
    const isOurs = content instanceof Uint8Array || content instanceof Readable;
    if (!isOurs || this.#isRead || this.#platform !== undefined) return undefined;
    this.#isRead = true;
    if (!(content instanceof Readable)) return content;
    unread.unregister(content);
    return bytesOf(content, this.#signal);
  }

  /** The same as the platform makes it; one that was read, where this one was. */
  #whole(): Response {
    if (this.#platform !== undefined) return this.#platform;
    const content = this.#isRead ? '' : this.#content;
    if (content instanceof Readable) unread.unregister(content);
    // With the type, which a form and a blob are read by.
    this.#platform = new Response(content instanceof Readable ? webBody(content, this.#signal) : content, {
      headers: this.headers,
    });
    if (this.#isRead) void this.#platform.text();
    return this.#platform;
  }
}

/** A reason that a Response can be made with (RFC 9112 §4). */
const REASON = /^[\t -~\u0080-\u00FF]*$/;

/** Names in which a secret was hidden are none any more. */
function withoutPlaceholders(headers: HeaderList): HeaderList {
  return headers.some(([name]) => name.includes('{')) ? headers.filter(([name]) => !name.includes('{')) : headers;
}

/** A status that a Response can be made with. */
function isUsual(status: number): boolean {
  return status >= 200 && status <= 599;
}
