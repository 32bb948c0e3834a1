import type { HarImport } from './cache/archive.js';
import type { Har } from './cache/har.js';
import type { ManagedCache } from './cache/managed-cache.js';
import type { ManagerOptions, RequestDefaults } from './config/options.js';
import { checkManagerOptions } from './config/validate-options.js';
import { Engine } from './engine.js';
import { registerEngine } from './engine-sharing.js';
import { Request } from './request.js';
import type { Asset } from './log/assets.js';
import type { CredentialUsage } from './usage/credential-usage.js';

/**
 * One pool, cache and log for a whole application: many Requests live on it.
 *
 * @throws {ConfigError} from the constructor: secrets.json or the options are wrong; every mistake is listed.
 * @example
 * ```ts
 * import { ProxyManager } from 'proxy-manager'
 *
 * const manager = new ProxyManager({ secrets: './secrets.json' })
 * const github = manager.request('github', { baseURL: 'https://api.github.com', timeout: 10_000 })
 * const res = await github.send('/zen', { headers: { authorization: 'Bearer {key}' } })
 * console.log(res.data, await manager.usage('github'))
 * await manager.close()
 * ```
 */
export class ProxyManager implements AsyncDisposable {
  readonly #engine: Engine;
  /** What is stored: to look at, to delete by url, prefix or tag, to count. */
  readonly cache: ManagedCache;

  constructor(options: ManagerOptions = {}) {
    checkManagerOptions(options);
    this.#engine = new Engine(options);
    registerEngine(this, this.#engine);
    this.cache = this.#engine.managedCache();
  }

  /**
   * A Request on this manager, which refuses to send once the manager is closed.
   *
   * @throws {ConfigError} the endpoint is not in secrets.json (the known ones are listed), or an option is wrong.
   */
  request(endpoint: string, options: RequestDefaults = {}): Request {
    return new Request({ ...options, endpoint, manager: this });
  }

  /**
   * The uses of every credential of `endpoint`, or of all endpoints, as they are counted now.
   *
   * @throws {ConfigError} the endpoint is not in secrets.json.
   * @throws {StoreError} the counts could not be read.
   */
  usage(endpoint?: string): Promise<CredentialUsage[]> {
    return this.#engine.usage(endpoint);
  }

  /**
   * What Elasticsearch must have before it is written to, with `PUT <path>` for each: for `installAssets: false`, where
   * somebody else may install templates.
   */
  assets(): readonly Asset[] {
    return this.#engine.assets();
  }

  /**
   * Everything in the cache as an HTTP Archive (HAR 1.2), which browsers' developer tools open; also written to `file`.
   * It holds no pool secret: the cache keeps none.
   *
   * @throws {StoreError} the store could not be read.
   * @example
   * ```ts
   * await manager.exportHar('./replies.har')
   * ```
   */
  exportHar(file?: string | URL): Promise<Har> {
    return this.#engine.exportHar(file);
  }

  /**
   * Puts the exchanges of an HTTP Archive into the cache, to be replayed: `file`, or the object. Each serves as if it had
   * been stored now, in ttl mode; with `cache: 'only-if-cached'` nothing else is ever sent. Pool secrets in its urls
   * become `{key}`, exchanges that answer with one are skipped.
   *
   * @throws {ConfigError} it is no HAR.
   * @example
   * ```ts
   * await manager.importHar('./replies.har')
   * const replay = manager.request('test_api', { cache: 'only-if-cached' })
   * ```
   */
  importHar(source: Har | string | URL): Promise<HarImport> {
    return this.#engine.importHar(source);
  }

  /** Resolves when every exchange logged so far is with every sink, or after 5 s with a sink that fails, 15 s with a slow one. */
  flush(): Promise<void> {
    return this.#engine.flush();
  }

  /** Waits for exchanges under way, flushes the log, and closes only what this manager opened. */
  close(): Promise<void> {
    return this.#engine.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
