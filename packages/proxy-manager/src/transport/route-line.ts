import type { Connection } from './connection.js';

interface Waiter {
  readonly serve: (connection: Connection | undefined) => void;
  readonly refuse: (reason: unknown) => void;
}

/** The connections of one route, and who waits for one, first come, first served. */
export class RouteLine {
  /** The warmest last. */
  readonly idle: Connection[] = [];
  /** Connections of this route, idle ones included. */
  open = 0;
  readonly #waiting = new Set<Waiter>();

  /** A connection, or undefined where one more may be opened now; rejects with the signal's reason. */
  wait(signal: AbortSignal): Promise<Connection | undefined> {
    return new Promise((resolve, reject) => {
      const leave = (): void => waiter.refuse(signal.reason);
      const part = (): void => {
        signal.removeEventListener('abort', leave);
        this.#waiting.delete(waiter);
      };
      const waiter: Waiter = {
        serve(connection) {
          part();
          resolve(connection);
        },
        refuse(reason) {
          part();
          reject(reason);
        },
      };
      signal.addEventListener('abort', leave);
      this.#waiting.add(waiter);
    });
  }

  /** Serves the first who waits; false when nobody does. */
  serve(connection: Connection | undefined): boolean {
    const [first] = this.#waiting;
    first?.serve(connection);
    return first !== undefined;
  }

  refuse(reason: unknown): void {
    for (const waiter of this.#waiting) waiter.refuse(reason);
  }
}
