import type { Client } from 'undici';
import { lastUsed } from '../last-used.js';
import type { Carrier } from './carrier.js';
import { Connection, timed, type ConnectionOwner, type ConnectionSettings, type Dialled } from './connection.js';
import { dial } from './dial.js';
import { TransportFault } from './fault.js';
import { Http2Connection } from './http2-connection.js';
import { networkFault } from './network-fault.js';
import { RouteLine } from './route-line.js';
import type { Route } from './route.js';

/** Routes whose protocol is remembered. */
const KNOWN_ROUTES = 10_000;

export interface PoolLimits {
  /** Connections of one route (origin and proxy) at a time; whoever comes then waits for one. */
  readonly perRoute: number;
  /** Idle connections of all routes; the one unused for the longest is closed first. */
  readonly idle: number;
}

/**
 * Open connections by route. An idle one is used again, the warmest first; else a new one is opened. Where the origin
 * chooses HTTP/2 (by ALPN), exchanges share a connection: until a first one has told, the others wait for it.
 */
export class ConnectionPool {
  readonly #undici: { readonly Client: typeof Client };
  readonly #settings: Omit<ConnectionSettings, 'alpn'>;
  readonly #limits: PoolLimits;
  readonly #lines = new Map<string, RouteLine>();
  /** The longest idle first. */
  readonly #idle = new Set<Connection>();
  readonly #all = new Set<Connection | Http2Connection>();
  readonly #shared = new Map<string, Set<Http2Connection>>();
  readonly #asking = new Map<string, Promise<unknown>>();
  readonly #speaksHttp1 = lastUsed<true>(KNOWN_ROUTES);
  readonly #closing = new AbortController();

  constructor(
    undici: { readonly Client: typeof Client },
    settings: Omit<ConnectionSettings, 'alpn'>,
    limits: PoolLimits,
  ) {
    this.#undici = undici;
    this.#settings = settings;
    this.#limits = limits;
  }

  /** A carrier for one exchange on this route; a promise where it has to be waited for, which `signal` ends. */
  take(route: Route, signal: AbortSignal): Carrier | Promise<Carrier> {
    const idle = this.#lines.get(route.key)?.idle.pop();
    if (idle !== undefined) {
      this.#idle.delete(idle);
      return idle;
    }
    if (!route.secure || this.#speaksHttp1.has(route.key)) return this.#open(route, signal);
    return this.#sharedOne(route) ?? this.#negotiated(route, signal);
  }

  async close(reason: Error): Promise<void> {
    this.#closing.abort(reason);
    const all = [...this.#all];
    this.#all.clear();
    this.#idle.clear();
    for (const line of this.#lines.values()) line.refuse(reason);
    this.#lines.clear();
    this.#shared.clear();
    await Promise.all(all.map((connection) => connection.destroy(reason)));
  }

  #lineOf({ key }: Route): RouteLine {
    let line = this.#lines.get(key);
    if (line === undefined) {
      line = new RouteLine();
      this.#lines.set(key, line);
    }
    return line;
  }

  #open(route: Route, signal: AbortSignal): Carrier | Promise<Carrier> {
    const line = this.#lineOf(route);
    if (line.open < this.#limits.perRoute) return this.#connection(route, line);
    return line.wait(signal).then((given) => given ?? this.take(route, signal));
  }

  #connection(route: Route, line: RouteLine, dialled?: Dialled): Connection {
    const settings = { ...this.#settings, alpn: ['http/1.1'] };
    const connection = new Connection(this.#undici, route, settings, this.#owner, dialled);
    line.open += 1;
    this.#all.add(connection);
    return connection;
  }

  #sharedOne({ key }: Route): Carrier | undefined {
    for (const connection of this.#shared.get(key) ?? []) if (connection.hasRoom) return connection.open();
    return undefined;
  }

  async #negotiated(route: Route, signal: AbortSignal): Promise<Carrier> {
    const asking = this.#asking.get(route.key);
    if (asking === undefined) {
      const dialling = this.#dial(route, signal);
      this.#asking.set(route.key, dialling);
      try {
        return await dialling;
      } finally {
        this.#asking.delete(route.key);
      }
    }
    const failed = await asking.then(
      () => false,
      (error: unknown) => error instanceof TransportFault,
    );
    signal.throwIfAborted();
    // Where the first one failed, each finds out by itself and at once, not one after the other.
    return failed ? this.#open(route, signal) : this.take(route, signal);
  }

  async #dial(route: Route, signal: AbortSignal): Promise<Carrier> {
    const settings = { ...this.#settings, alpn: ['h2', 'http/1.1'] };
    const hangUp = new AbortController();
    const onAbort = (): void => hangUp.abort(signal.reason);
    const onClose = (): void => hangUp.abort(this.#closing.signal.reason);
    signal.addEventListener('abort', onAbort);
    this.#closing.signal.addEventListener('abort', onClose);
    try {
      const dialled = await timed((times) => dial(route, undefined, settings, hangUp.signal, times));
      if ('alpnProtocol' in dialled.socket && dialled.socket.alpnProtocol === 'h2') {
        return await this.#share(route, dialled, hangUp.signal);
      }
      this.#speaksHttp1.set(route.key, true);
      return this.#connection(route, this.#lineOf(route), dialled);
    } catch (error) {
      if (hangUp.signal.aborted) throw hangUp.signal.reason;
      throw networkFault(error, route.origin, { phase: 'connect', sent: false });
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#closing.signal.removeEventListener('abort', onClose);
    }
  }

  async #share(route: Route, dialled: Dialled, signal: AbortSignal): Promise<Carrier> {
    const connection = new Http2Connection(route, dialled, this.#settings, () => {
      this.#all.delete(connection);
      const shared = this.#shared.get(route.key);
      shared?.delete(connection);
      if (shared?.size === 0) this.#shared.delete(route.key);
    });
    this.#all.add(connection);
    await connection.ready(this.#settings.stepMs, signal);
    const shared = this.#shared.get(route.key) ?? new Set();
    this.#shared.set(route.key, shared.add(connection));
    return connection.open();
  }

  readonly #owner: ConnectionOwner = {
    onReleased: (connection) => {
      if (!connection.open) return connection.drop();
      const line = this.#lineOf(connection.route);
      if (line.serve(connection)) return;
      line.idle.push(connection);
      this.#idle.add(connection);
      const [longest] = this.#idle;
      if (this.#idle.size > this.#limits.idle) longest?.drop();
    },
    onDropped: (connection) => this.#forget(connection),
    // Only an idle one is dropped: one that is taken reconnects by itself, or its exchange fails and drops it.
    onClosed: (connection) => {
      if (this.#idle.has(connection)) connection.drop();
    },
  };

  #forget(connection: Connection): void {
    if (!this.#all.delete(connection)) return;
    const { key } = connection.route;
    const line = this.#lines.get(key);
    if (line === undefined) return;
    line.open -= 1;
    if (this.#idle.delete(connection)) line.idle.splice(line.idle.indexOf(connection), 1);
    if (!line.serve(undefined) && line.open === 0) this.#lines.delete(key);
  }
}
