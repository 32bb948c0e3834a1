import { Session } from './session.js';
import type { SessionParts } from './session.js';

/**
 * The sessions of a manager by name, one of a name at a time, and each for as long as somebody holds it: a Request, or
 * a write that is under way. The next one by its name goes on with what is stored.
 */
export class Sessions {
  readonly #held = new Map<string, WeakRef<Session>>();
  readonly #gone = new FinalizationRegistry<string>((name) => {
    // Somebody may have come for the name meanwhile.
    if (this.#held.get(name)?.deref() === undefined) this.#held.delete(name);
  });

  of(parts: SessionParts): Session {
    const { name } = parts;
    const held = this.#held.get(name)?.deref();
    if (held !== undefined) return held;
    const session = new Session(parts);
    this.#held.set(name, new WeakRef(session));
    this.#gone.register(session, name);
    return session;
  }

  /** Resolves when all is written. */
  async close(): Promise<void> {
    await Promise.all([...this.#held.values()].map(async (held) => held.deref()?.close()));
  }
}
