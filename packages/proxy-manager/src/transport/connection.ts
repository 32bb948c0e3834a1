import type { Socket } from 'node:net';
import type { buildConnector, Client, Dispatcher } from 'undici';
import type { Carrier, ConnectTimes, Dispatch, ReplyHandler } from './carrier.js';
import { dial, type DialSettings, type DialTimes } from './dial.js';
import { authority, type Route } from './route.js';

export interface ConnectionSettings extends DialSettings {
  readonly headersMs: number;
  readonly bodyMs: number;
}

/** What a connection tells its pool. */
export interface ConnectionOwner {
  /** Its exchange has ended well. */
  onReleased(connection: Connection): void;
  /** It is of no more use: hung up by us. */
  onDropped(connection: Connection): void;
  /** The other side closed it, or it could not be opened. */
  onClosed(connection: Connection): void;
}

/** A socket that is connected already, with what that took. */
export interface Dialled {
  readonly socket: Socket;
  readonly times: ConnectTimes;
}

/**
 * One undici `Client`: at most one socket at a time, and at most one exchange on it.
 *
 * A pool of our own over single clients, and not undici's `Pool`, because an exchange must know its socket: to hang up
 * when it is aborted while still connecting, and to tell its bytes and its time of connecting.
 */
export class Connection implements Carrier {
  readonly httpVersion = '1.1';
  readonly route: Route;
  readonly #client: Client;
  readonly #owner: ConnectionOwner;
  readonly #hangUp = new AbortController();
  #dialled: Dialled | undefined;
  #socket: Socket | undefined;
  #open = false;
  #connectTimes: ConnectTimes | undefined;
  #mark = { sent: 0, received: 0 };

  constructor(
    undici: { readonly Client: typeof Client },
    route: Route,
    settings: ConnectionSettings,
    owner: ConnectionOwner,
    dialled?: Dialled,
  ) {
    this.route = route;
    this.#owner = owner;
    this.#dialled = dialled;
    // A plain http url even when the way is not: the connector knows it, and undici would name the proxy's TLS after the origin.
    const { proxy } = route;
    const url = route.absoluteForm && proxy ? `http://${authority(proxy)}` : route.origin;
    this.#client = new undici.Client(url, {
      headersTimeout: settings.headersMs,
      bodyTimeout: settings.bodyMs,
      connect: ({ servername }, callback) => void this.#connect(settings, servername ?? undefined, callback),
    });
    const closed = (): void => {
      this.#open = false;
      owner.onClosed(this);
    };
    this.#client.on('disconnect', closed).on('connectionError', closed);
  }

  get open(): boolean {
    return this.#open;
  }

  get connectTimes(): ConnectTimes | undefined {
    return this.#connectTimes;
  }

  traffic(): { readonly sent: number; readonly received: number } {
    const { bytesWritten = 0, bytesRead = 0 } = this.#socket ?? {};
    const before = this.#mark;
    this.#mark = { sent: bytesWritten, received: bytesRead };
    return { sent: bytesWritten - before.sent, received: bytesRead - before.received };
  }

  dispatch(what: Dispatch, handler: ReplyHandler): void {
    this.#connectTimes = undefined;
    this.#client.dispatch(what as Dispatcher.DispatchOptions, handler);
  }

  release(): void {
    this.#owner.onReleased(this);
  }

  drop(reason?: Error): void {
    this.#owner.onDropped(this);
    void this.destroy(reason);
  }

  /** Closes the socket, or stops connecting, without a word to the pool. */
  async destroy(reason?: Error): Promise<void> {
    this.#hangUp.abort(reason);
    this.#dialled?.socket.destroy();
    await this.#client.destroy(reason ?? null);
  }

  async #connect(
    settings: DialSettings,
    servername: string | undefined,
    callback: buildConnector.Callback,
  ): Promise<void> {
    let dialled = this.#dialled;
    this.#dialled = undefined;
    try {
      // Also what is there is handed over later: a `Client` does not look up while it is asking.
      dialled = await (dialled ??
        timed((times) =>
          dial(this.route, servername, { ...settings, alpn: ['http/1.1'] }, this.#hangUp.signal, times),
        ));
    } catch (error) {
      callback(error as Error, null);
      return;
    }
    this.#connectTimes = dialled.times;
    this.#socket = dialled.socket;
    this.#open = true;
    this.#mark = { sent: 0, received: 0 };
    callback(null, dialled.socket);
  }
}

/** A socket with what it took to connect it. */
export async function timed(connect: (times: DialTimes) => Promise<Socket>): Promise<Dialled> {
  const startedMs = performance.now();
  const parts: DialTimes = {};
  const socket = await connect(parts);
  return { socket, times: { ...parts, connectMs: performance.now() - startedMs } };
}
