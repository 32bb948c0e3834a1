import type { Readable } from 'node:stream';
import { canFire } from '../pipeline/abort.js';
import type { HeaderList } from '../pipeline/headers.js';
import { RefusedUnread, type Carrier, type ReplyHandler } from './carrier.js';
import { codedLimit, codingsOf, decodeBuffer, decodeStream, type Coding } from './decode.js';
import { TransportFault, type FaultPhase, type ReceivedHead } from './fault.js';
import { knownField } from './known-fields.js';
import { faultCode, networkFault } from './network-fault.js';
import {
  decodedHeaders,
  decodeFault,
  hasNoBody,
  neverAnswersFault,
  passwordFault,
  subjectOf,
  tooLargeFault,
  tooSlowFault,
} from './reply-rules.js';
import type { CodedBody, WireObservation, WireReply, WireRequest } from './transport.js';
import { WireBody } from './wire-body.js';

const nothing = new Uint8Array(0);

/** So many pieces of a body are put together: kept apart, one that comes byte by byte takes a hundred times its size. */
const CRUMBS = 1024;

/** Heads that only inform before the one that answers: early hints, and word that it takes longer. */
const MOST_INFORMING = 100;

/** A body that is waited for whole and has been slower than this for `patienceMs` is given up: 1 kB a second. */
const SLOWEST_BYTES_PER_MS = 1;

type RawHeaders = Parameters<ReplyHandler['onHeaders']>[1];

/** One request and its reply, as a carrier tells it, into one promise of a `WireReply`. */
export class WireExchange implements ReplyHandler {
  readonly reply: Promise<WireReply>;
  readonly #request: WireRequest;
  readonly #carrier: Carrier;
  readonly #observation: WireObservation;
  /** What an earlier hop had sent already. */
  readonly #sentBefore: boolean;
  readonly #patienceMs: number;
  #resolve: (reply: WireReply | Promise<WireReply>) => void = () => {};
  #reject: (reason: unknown) => void = () => {};
  #startedMs = 0;
  #headMs = 0;
  #ended = false;
  #informed = 0;
  #head: Omit<WireReply, 'body'> | undefined;
  #codings: readonly Coding[] | undefined;
  #chunks: Buffer[] = [];
  /** How many of the chunks are put together already. */
  #packed = 0;
  #length = 0;
  #body: WireBody | undefined;

  constructor(request: WireRequest, carrier: Carrier, observation: WireObservation, patienceMs: number) {
    this.#request = request;
    this.#carrier = carrier;
    this.#observation = observation;
    this.#sentBefore = observation.sent;
    this.#patienceMs = patienceMs;
    this.reply = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (canFire(request.signal)) request.signal.addEventListener('abort', this.#onAbort);
  }

  onConnect(): void {
    this.#startedMs = performance.now();
    const observation = this.#observation;
    observation.sent = true;
    const { connectTimes } = this.#carrier;
    if (connectTimes === undefined) return;
    const { connectMs, dnsMs, tlsMs } = connectTimes;
    observation.connectMs = (observation.connectMs ?? 0) + connectMs;
    if (dnsMs !== undefined) observation.dnsMs = (observation.dnsMs ?? 0) + dnsMs;
    if (tlsMs !== undefined) observation.tlsMs = (observation.tlsMs ?? 0) + tlsMs;
  }

  onHeaders(status: number, rawHeaders: RawHeaders, resume: () => void, statusText: string): boolean {
    if (status >= 200) this.#onHead(status, rawHeaders, resume, statusText);
    else this.#onInformed();
    return true;
  }

  #onInformed(): void {
    this.#informed += 1;
    if (this.#informed > MOST_INFORMING) this.#fail(neverAnswersFault(this.#request));
  }

  #onHead(status: number, rawHeaders: RawHeaders, resume: () => void, statusText: string): void {
    this.#headMs = performance.now();
    this.#observation.ttfbMs = this.#headMs - this.#startedMs;
    const { method, url, options } = this.#request;
    if (status === 407 && this.#carrier.route.absoluteForm) {
      // The proxy refused the request, so no origin has seen it.
      this.#observation.sent = this.#sentBefore;
      return this.#fail(passwordFault(this.#carrier.route.proxy?.id ?? '', this.#sentBefore));
    }
    let headers = headerList(rawHeaders);
    this.#codings = options.decompress && !hasNoBody(method, status) ? codingsOf(headers) : undefined;
    if (this.#codings) headers = decodedHeaders(headers);
    const head = { status, statusText, headers, url, httpVersion: this.#carrier.httpVersion };
    this.#head = head;
    if (options.body === 'stream') this.#stream(resume, head);
    // What comes together with the head is here before this turn of the event loop is over.
    else if (options.body === 'either') setImmediate(() => this.#ended || this.#stream(resume, head));
  }

  onData(chunk: Buffer): boolean {
    if (this.#ended) return true;
    this.#length += chunk.length;
    const { maxResponseBytes } = this.#request.options;
    if (this.#length > (this.#codings ? codedLimit(maxResponseBytes) : maxResponseBytes)) {
      this.#fail(tooLargeFault(this.#request));
      return true;
    }
    if (this.#body) return this.#body.push(chunk);
    this.#keep(chunk);
    return true;
  }

  #keep(chunk: Buffer): void {
    const tookMs = performance.now() - this.#headMs;
    if (tookMs > this.#patienceMs && this.#length < tookMs * SLOWEST_BYTES_PER_MS) {
      return this.#fail(tooSlowFault(this.#request));
    }
    this.#chunks.push(chunk);
    if (this.#chunks.length - this.#packed < CRUMBS) return;
    this.#chunks.push(Buffer.concat(this.#chunks.splice(this.#packed)));
    this.#packed = this.#chunks.length;
  }

  onComplete(): void {
    if (this.#ended) return;
    this.#end();
    this.#carrier.release();
    if (this.#body) this.#body.push(null);
    else if (this.#head) this.#resolve(this.#collected(this.#head));
  }

  onError(error: Error): void {
    this.#fail(this.#faultOf(error));
  }

  #stream(resume: () => void, head: Omit<WireReply, 'body'>): void {
    const source = new WireBody(resume, (error) => {
      if (this.#ended) return;
      this.#end();
      this.#carrier.drop(error ?? undefined);
    });
    this.#body = source;
    for (const chunk of this.#chunks) source.push(chunk);
    this.#chunks = [];
    let decoded = 0;
    const body: Readable = this.#codings
      ? decodeStream(
          source,
          this.#codings,
          (bytes) => {
            if ((decoded += bytes) > this.#request.options.maxResponseBytes) throw tooLargeFault(this.#request);
          },
          (error) => (error instanceof TransportFault ? error : decodeFault(this.#request, error)),
        )
      : source;
    // It can fail before whoever asked has it in hand; then reading it tells, and not the end of the process.
    this.#resolve({ ...head, body: body.on('error', () => {}) });
  }

  #collected(head: Omit<WireReply, 'body'>): WireReply | Promise<WireReply> {
    const [first = nothing] = this.#chunks;
    const body = this.#chunks.length < 2 ? first : Buffer.concat(this.#chunks, this.#length);
    if (!this.#codings) return { ...head, body };
    const coded = codedBody(body, this.#codings);
    return decodeBuffer(body, this.#codings, this.#request.options.maxResponseBytes).then(
      (decoded) => ({ ...head, body: decoded, coded }),
      (error: unknown) => {
        throw faultCode(error) === 'ERR_BUFFER_TOO_LARGE'
          ? tooLargeFault(this.#request)
          : decodeFault(this.#request, error, this.#received(head));
      },
    );
  }

  readonly #onAbort = (): void => {
    const { signal, body } = this.#request;
    if (typeof body === 'object' && 'destroy' in body) body.destroy();
    this.#fail(signal.reason);
  };

  /** Ends the exchange with `reason`, wherever it is, and hangs up. */
  #fail(reason: unknown): void {
    if (this.#ended) return;
    this.#end();
    const error = reason instanceof Error ? reason : new Error('aborted', { cause: reason });
    if (this.#body) this.#body.destroy(error);
    else this.#reject(reason);
    this.#carrier.drop(error);
  }

  #end(): void {
    this.#ended = true;
    if (canFire(this.#request.signal)) this.#request.signal.removeEventListener('abort', this.#onAbort);
    const { sent, received } = this.#carrier.traffic();
    this.#observation.bytesSent += sent;
    this.#observation.bytesReceived += received;
    if (this.#head) this.#observation.downloadMs = performance.now() - this.#headMs;
  }

  #faultOf(error: Error): Error {
    const { route } = this.#carrier;
    const code = faultCode(error);
    if (error instanceof RefusedUnread) this.#observation.sent = this.#sentBefore;
    // Until its answer starts, a proxy that is asked for the url itself is the one who hangs up or talks rubbish.
    const proxy = !this.#head && route.absoluteForm && code !== 'ETIMEDOUT' ? route.proxy : undefined;
    const phase: FaultPhase = this.#head ? 'response' : proxy ? 'tunnel' : 'request';
    return networkFault(error, proxy ? `proxy ${proxy.id}` : subjectOf(this.#request), {
      phase,
      sent: this.#observation.sent,
      // Whoever reads a stream has the head already.
      received: this.#head && !this.#body ? this.#received(this.#head) : undefined,
    });
  }

  #received({ status, statusText, headers }: Omit<WireReply, 'body'>): ReceivedHead {
    return { status, statusText, headers, isDecoded: this.#codings !== undefined };
  }
}

function codedBody(bytes: Uint8Array, [coding, ...others]: readonly Coding[]): CodedBody | undefined {
  // What is called deflate may be one of two.
  return coding === undefined || coding === 'deflate' || others.length > 0 ? undefined : { coding, bytes };
}

function headerList(raw: RawHeaders): HeaderList {
  const list: HeaderList[number][] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    list.push(knownField(text(raw[index]), text(raw[index + 1])));
  }
  return list;
}

function text(value: Buffer | string | undefined): string {
  return typeof value === 'string' ? value : (value?.toString('latin1') ?? '');
}
