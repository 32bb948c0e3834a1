import type { Socket } from 'node:net';
import type { buildConnector, Client, Dispatcher } from 'undici';
import { dial, type DialSettings, type DialTimes } from './dial.js';
import { authority, type Route } from './route.js';

export interface ConnectionSettings extends DialSettings {
  readonly headersMs: number;
  readonly bodyMs: number;
}

/** How long connecting took in all, in ms, and what of it went into its parts. */
export interface ConnectTimes extends Readonly<DialTimes> {
  readonly connectMs: number;
}

/**
 * One undici `Client`: at most one socket at a time, and at most one exchange on it.
 *
 * A pool of our own over single clients, and not undici's `Pool`, because an exchange must know its socket: to hang up
 * when it is aborted while still connecting, and to tell its bytes and its time of connecting.
 */
export class Connection {
  readonly route: Route;
  readonly #client: Client;
  readonly #hangUp = new AbortController();
  #socket: Socket | undefined;
  #open = false;
  #connectTimes: ConnectTimes | undefined;
  #mark = { sent: 0, received: 0 };

  constructor(
    undici: { readonly Client: typeof Client },
    route: Route,
    settings: ConnectionSettings,
    onClosed: (connection: Connection) => void,
  ) {
    this.route = route;
    // A plain http url even when the way is not: the connector knows it, and undici would name the proxy's TLS after the origin.
    const { proxy } = route;
    const url = route.absoluteForm && proxy ? `http://${authority(proxy)}` : route.origin;
    this.#client = new undici.Client(url, {
      headersTimeout: settings.headersMs,
      bodyTimeout: settings.bodyMs,
      connect: ({ servername }, callback) => void this.#dial(settings, servername ?? undefined, callback),
    });
    const closed = (): void => {
      this.#open = false;
      onClosed(this);
    };
    this.#client.on('disconnect', closed).on('connectionError', closed);
  }

  get open(): boolean {
    return this.#open;
  }

  /** How long the present exchange waited for its connection; undefined where one was open already. */
  get connectTimes(): ConnectTimes | undefined {
    return this.#connectTimes;
  }

  /** Bytes that the present exchange moved over its socket. */
  get traffic(): { readonly sent: number; readonly received: number } {
    const { bytesWritten = 0, bytesRead = 0 } = this.#socket ?? {};
    return { sent: bytesWritten - this.#mark.sent, received: bytesRead - this.#mark.received };
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    this.#connectTimes = undefined;
    this.#mark = { sent: this.#socket?.bytesWritten ?? 0, received: this.#socket?.bytesRead ?? 0 };
    this.#client.dispatch(options, handler);
  }

  /** Closes the socket, or stops connecting; an exchange still on it fails with `reason`. */
  async destroy(reason?: Error): Promise<void> {
    this.#hangUp.abort(reason);
    await this.#client.destroy(reason ?? null);
  }

  async #dial(
    settings: DialSettings,
    servername: string | undefined,
    callback: buildConnector.Callback,
  ): Promise<void> {
    const startedMs = performance.now();
    const times: DialTimes = {};
    let socket: Socket;
    try {
      socket = await dial(this.route, servername, settings, this.#hangUp.signal, times);
    } catch (error) {
      callback(error as Error, null);
      return;
    }
    this.#connectTimes = { ...times, connectMs: performance.now() - startedMs };
    this.#socket = socket;
    this.#open = true;
    this.#mark = { sent: 0, received: 0 };
    callback(null, socket);
  }
}
