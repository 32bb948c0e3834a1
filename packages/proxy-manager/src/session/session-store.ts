/** What is kept of a session. */
export interface SavedSession {
  /** Of the key and the proxy. */
  readonly ids: readonly string[];
  readonly userAgent: string;
  readonly startedAtMs: number;
  /** When it has ended or will, if only by its age; Infinity: not by that. */
  readonly endsAtMs: number;
  readonly uses: number;
  readonly errors: number;
  /** As `Cookies.save` gives them. */
  readonly cookies: unknown;
}

/** Where sessions outlive their process. */
export interface SessionStore {
  read(name: string): Promise<SavedSession | undefined>;
  /**
   * Keeps `session` unless another process has begun one by that name since `ended`; gives the one that counts. Some that
   * ended long ago may go.
   */
  begin(name: string, session: SavedSession, ended: SavedSession | undefined): Promise<SavedSession>;
  write(name: string, session: SavedSession): Promise<void>;
}
