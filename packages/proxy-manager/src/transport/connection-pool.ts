import type { Client } from 'undici';
import { Connection, type ConnectionSettings } from './connection.js';
import type { Route } from './route.js';

/** Open connections by route: an idle one is used again, the warmest first; else a new one is opened. */
export class ConnectionPool {
  readonly #undici: { readonly Client: typeof Client };
  readonly #settings: ConnectionSettings;
  readonly #idle = new Map<string, Connection[]>();
  readonly #all = new Set<Connection>();

  constructor(undici: { readonly Client: typeof Client }, settings: ConnectionSettings) {
    this.#undici = undici;
    this.#settings = settings;
  }

  take(route: Route): Connection {
    const idle = this.#idle.get(route.key)?.pop();
    if (idle) return idle;
    const connection = new Connection(this.#undici, route, this.#settings, this.#onClosed);
    this.#all.add(connection);
    return connection;
  }

  /** Gives back a connection whose exchange ended well: it serves the next one, if it is still open. */
  release(connection: Connection): void {
    if (!connection.open) return this.drop(connection);
    const { key } = connection.route;
    const idle = this.#idle.get(key);
    if (idle) idle.push(connection);
    else this.#idle.set(key, [connection]);
  }

  /** Closes a connection at once; an exchange still on it fails with `reason`. */
  drop(connection: Connection, reason?: Error): void {
    if (!this.#all.delete(connection)) return;
    if (this.#idle.get(connection.route.key)?.length === 0) this.#idle.delete(connection.route.key);
    void connection.destroy(reason);
  }

  async close(reason: Error): Promise<void> {
    const all = [...this.#all];
    this.#all.clear();
    this.#idle.clear();
    await Promise.all(all.map((connection) => connection.destroy(reason)));
  }

  // Only an idle one is dropped: one that is taken reconnects by itself, or its exchange fails and drops it.
  readonly #onClosed = (connection: Connection): void => {
    const { key } = connection.route;
    const idle = this.#idle.get(key);
    const index = idle?.indexOf(connection) ?? -1;
    if (!idle || index === -1) return;
    idle.splice(index, 1);
    this.drop(connection);
  };
}
