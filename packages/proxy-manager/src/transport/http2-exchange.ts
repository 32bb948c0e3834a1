import { constants, type ClientHttp2Session, type ClientHttp2Stream, type IncomingHttpHeaders } from 'node:http2';
import { pipeline, Readable } from 'node:stream';
import { RefusedUnread, type Carrier, type ConnectTimes, type Dispatch, type ReplyHandler } from './carrier.js';
import { http2Headers } from './http2-headers.js';
import type { Route } from './route.js';

class SilentTooLong extends Error {
  readonly code = 'ETIMEDOUT';
}

class StreamReset extends Error {
  readonly code: string;

  constructor(rstCode: number) {
    super(`the stream was reset with code ${rstCode}`);
    this.code = rstCode === constants.NGHTTP2_PROTOCOL_ERROR ? 'ERR_BAD_RESPONSE' : 'ECONNRESET';
  }
}

/** One exchange as a stream of an HTTP/2 connection. */
export class Http2Exchange implements Carrier {
  readonly httpVersion = '2';
  readonly route: Route;
  readonly connectTimes: ConnectTimes | undefined;
  readonly #session: ClientHttp2Session;
  readonly #limits: { readonly headersMs: number; readonly bodyMs: number };
  #onEnd: ((isLate: boolean) => void) | undefined;
  #stream: ClientHttp2Stream | undefined;
  #received = 0;
  #sent = 0;
  #isLate = false;

  constructor(
    route: Route,
    session: ClientHttp2Session,
    times: ConnectTimes | undefined,
    limits: { readonly headersMs: number; readonly bodyMs: number },
    onEnd: (isLate: boolean) => void,
  ) {
    this.route = route;
    this.connectTimes = times;
    this.#session = session;
    this.#limits = limits;
    this.#onEnd = onEnd;
  }

  /** Of the bodies alone: what frames and headers take cannot be told apart from others'. */
  traffic(): { readonly sent: number; readonly received: number } {
    return { sent: this.#sent, received: this.#received };
  }

  dispatch(what: Dispatch, handler: ReplyHandler): void {
    let stream: ClientHttp2Stream;
    try {
      stream = this.#session.request(http2Headers(what, this.route), { endStream: what.body === null });
    } catch (error) {
      this.#end();
      handler.onError(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    this.#stream = stream;
    handler.onConnect();
    this.#listen(stream, handler, what.headersTimeout ?? this.#limits.headersMs);
    this.#send(stream, what.body);
  }

  release(): void {
    // A body that nobody asked for any more.
    if (this.#stream?.closed === false) this.#stream.close(constants.NGHTTP2_NO_ERROR);
    this.#end();
  }

  drop(): void {
    this.#stream?.close(constants.NGHTTP2_CANCEL);
    this.#end();
  }

  #end(): void {
    const onEnd = this.#onEnd;
    this.#onEnd = undefined;
    onEnd?.(this.#isLate);
  }

  #listen(stream: ClientHttp2Stream, handler: ReplyHandler, headersMs: number): void {
    let hasHead = false;
    let isOver = false;
    const fail = (error: Error): void => {
      if (isOver) return;
      isOver = true;
      handler.onError(error);
    };
    stream.setTimeout(headersMs, () => {
      this.#isLate = true;
      fail(new SilentTooLong('no answer in time'));
    });
    stream.on('headers', (headers: IncomingHttpHeaders) => {
      if (!isOver) handler.onHeaders(Number(headers[':status']), [], () => {}, '');
    });
    // The third argument is older than its documentation.
    stream.on('response', (headers: IncomingHttpHeaders, _flags: number, raw: unknown) => {
      hasHead = true;
      stream.setTimeout(this.#limits.bodyMs);
      const rawHeaders = Array.isArray(raw) ? withoutPseudo(raw) : [];
      handler.onHeaders(Number(headers[':status']), rawHeaders, () => stream.resume(), '');
    });
    stream.on('data', (chunk: Buffer) => {
      this.#received += chunk.length;
      if (!isOver && !handler.onData(chunk)) stream.pause();
    });
    stream.on('end', () => {
      // A connection that breaks ends its streams as well.
      if (isOver || !hasHead || stream.aborted || stream.rstCode !== constants.NGHTTP2_NO_ERROR) return;
      isOver = true;
      handler.onComplete();
    });
    // The codes of its errors say less than the code of its reset.
    stream.on('error', () => {});
    stream.on('close', () => {
      const { rstCode } = stream;
      fail(
        rstCode === constants.NGHTTP2_REFUSED_STREAM
          ? new RefusedUnread('the stream was refused')
          : new StreamReset(rstCode),
      );
    });
  }

  async *#counted(chunks: AsyncIterable<Buffer | string>): AsyncIterable<Buffer | string> {
    for await (const chunk of chunks) {
      this.#sent += Buffer.byteLength(chunk);
      yield chunk;
    }
  }

  #send(stream: ClientHttp2Stream, body: Dispatch['body']): void {
    if (body instanceof Readable) {
      pipeline(
        body,
        (chunks) => this.#counted(chunks),
        stream,
        (error) => {
          if (error && !stream.closed) stream.close(constants.NGHTTP2_CANCEL);
        },
      );
    } else if (typeof body === 'string' || body instanceof Uint8Array) {
      this.#sent = Buffer.byteLength(body);
      stream.end(body);
    }
  }
}

function withoutPseudo(raw: readonly unknown[]): string[] {
  const fields: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = String(raw[index]);
    if (!name.startsWith(':')) fields.push(name, String(raw[index + 1]));
  }
  return fields;
}
