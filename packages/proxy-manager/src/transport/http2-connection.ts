import { connect, type ClientHttp2Session } from 'node:http2';
import type { Carrier } from './carrier.js';
import type { Dialled } from './connection.js';
import { Http2Exchange } from './http2-exchange.js';
import type { Route } from './route.js';
import { ClosedEarly } from './socket-steps.js';

/** What the other side allows at once unless it says otherwise; more than enough for one connection. */
const MOST_STREAMS = 100;
const WINDOW_BYTES = 1024 * 1024;
const IDLE_MS = 10_000;

/** One HTTP/2 connection (RFC 9113), which many exchanges share. */
export class Http2Connection {
  readonly route: Route;
  readonly #session: ClientHttp2Session;
  readonly #settings: { readonly headersMs: number; readonly bodyMs: number };
  readonly #onClosed: () => void;
  #dialled: Dialled | undefined;
  #streams = 0;
  #retired = false;
  #idle: NodeJS.Timeout | undefined;

  constructor(
    route: Route,
    dialled: Dialled,
    settings: { readonly headersMs: number; readonly bodyMs: number },
    onClosed: () => void,
  ) {
    this.route = route;
    this.#dialled = dialled;
    this.#settings = settings;
    this.#onClosed = onClosed;
    this.#session = connect(route.origin, {
      createConnection: () => dialled.socket,
      settings: { enablePush: false, initialWindowSize: WINDOW_BYTES },
    });
    // Its streams tell their own exchanges of every error.
    this.#session.on('error', () => {});
    // Told a moment later, and also of one that was given up meanwhile.
    this.#session.once('connect', () => {
      if (!this.#session.destroyed) this.#session.setLocalWindowSize(WINDOW_BYTES * 4);
    });
    this.#session.on('goaway', () => this.retire());
    this.#session.once('close', () => {
      clearTimeout(this.#idle);
      this.retire();
    });
  }

  /** Resolves when the other side has told its settings, above all how many streams it takes at once. */
  async ready(limitMs: number, signal: AbortSignal): Promise<void> {
    const session = this.#session;
    const stop = (): void => session.destroy();
    const timer = setTimeout(stop, limitMs);
    signal.addEventListener('abort', stop);
    try {
      if (signal.aborted) stop();
      await new Promise<void>((resolve, reject) => {
        session.once('remoteSettings', () => resolve());
        session.once('close', () => reject(new ClosedEarly('closed without telling its settings')));
      });
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    }
  }

  /** True while it takes one more exchange. */
  get hasRoom(): boolean {
    const most = Math.min(this.#session.remoteSettings?.maxConcurrentStreams ?? MOST_STREAMS, MOST_STREAMS);
    // One that broke tells its streams before it tells of its own end.
    return !this.#retired && !this.#session.closed && !this.#session.destroyed && this.#streams < most;
  }

  /** A carrier for one exchange. */
  open(): Carrier {
    const times = this.#dialled?.times;
    this.#dialled = undefined;
    clearTimeout(this.#idle);
    if (this.#streams === 0) this.#session.ref();
    this.#streams += 1;
    return new Http2Exchange(this.route, this.#session, times, this.#settings, (isLate) => this.#ended(isLate));
  }

  /** What is under way goes on; nothing new is taken. */
  retire(): void {
    if (this.#retired) return;
    this.#retired = true;
    this.#onClosed();
    if (this.#streams === 0) this.#leave();
  }

  /** Closes the connection; what is under way fails. */
  destroy(reason: Error): Promise<void> {
    return new Promise((resolve) => {
      if (this.#session.destroyed) return resolve();
      this.#session.once('close', resolve);
      this.#session.destroy(reason);
    });
  }

  /**
   * Nothing is under way. To close it would wait for streams of which nobody will hear, where the other side's frames
   * have left one hanging, and keep its socket for ever.
   */
  #leave(): void {
    this.#session.destroy();
  }

  #ended(isLate: boolean): void {
    this.#streams -= 1;
    // Where one reply stays away, the other side may be gone altogether: others should not find that out one by one.
    if (isLate) this.retire();
    if (this.#streams === 0) {
      this.#session.unref();
      if (this.#retired) this.#leave();
      else this.#idle = setTimeout(() => this.retire(), IDLE_MS).unref();
    }
  }
}
