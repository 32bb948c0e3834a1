/** A real engine that the tests talk to, and may stop and start again. */
export interface Service {
  /** Where it answers; the same before and after `kill()` and `start()`. */
  readonly url: string;
  /** Where it comes from, in words, for the test report. */
  readonly source: string;
  /** Takes it away at once, as `kill -9` does; what it had acknowledged stays on its disk. */
  kill(): Promise<void>;
  /** Brings it back after `kill()`, on the same port with the same data; resolves when it answers. */
  start(): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

/** Options of `startElasticsearch` and `startRedis`. */
export interface ServiceOptions {
  /** The environment that names given addresses. @default process.env */
  readonly env?: NodeJS.ProcessEnv;
}
