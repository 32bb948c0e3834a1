import type { AxiosInstance } from 'axios';
import type { Fetch, RequestDefaults, RequestOptions, SendOptions } from './config/options.js';
import { overPolicy } from './config/policy.js';
import { checkRequestOptions, checkSendOptions } from './config/validate-options.js';
import { isObject } from './config/option-rules.js';
import { axiosDoor } from './doors/axios-door.js';
import { Bare } from './doors/bare.js';
import { callOptions } from './doors/call.js';
import type { Perform } from './doors/door.js';
import { fetchDoor } from './doors/fetch-door.js';
import type { ExchangeResponse } from './doors/response.js';
import { sendAll } from './doors/send-all.js';
import type { SendAllInput, SendAllOptions, SendAllResult } from './doors/send-all.js';
import { send, toCall } from './doors/send.js';
import type { Engine } from './engine.js';
import { acquireEngine } from './engine-sharing.js';
import { ClosedError } from './errors.js';
import type { Explanation } from './explanation.js';
import { randomUserAgent } from './identity/user-agents.js';
import { withUserAgent } from './identity/with-user-agent.js';
import { explain, perform } from './perform.js';
import type { Sender, Sending } from './perform.js';
import type { ExchangePolicy, NamedSession } from './pipeline/exchange.js';
import { InFlight } from './pipeline/in-flight.js';
import { Waits } from './pipeline/waits.js';
import type { Lease } from './pool/lease.js';
import type { LeaseDemand } from './pool/pool.js';
import { PinnedIdentity } from './pool/pinned-identity.js';
import type { KeyProxy } from './pool/pinned-identity.js';
import { namedSession } from './session/named-session.js';
import type { PoolOfEndpoint } from './pools.js';

/**
 * One endpoint of secrets.json, ready to send: picks the least-used key or proxy under its quota, looks in the cache,
 * retries with another identity, and logs every exchange.
 *
 * @throws {ConfigError} from the constructor: secrets.json or the options are wrong; every mistake is listed.
 * @example
 * ```ts
 * import { Request } from 'proxy-manager'
 *
 * const req = new Request({ endpoint: 'test_api', cache: true })
 * const res = await req.send('https://api.example.com/items?page=1', { headers: { 'x-api-key': '{key}' } })
 * console.log(res.status, res.data, res.exchange.cache)
 * await req.close()
 * ```
 */
export class Request implements AsyncDisposable {
  readonly #engine: Engine;
  readonly #release: () => Promise<void>;
  readonly #defaults: RequestDefaults;
  readonly #policy: ExchangePolicy;
  readonly #inFlight: InFlight;
  readonly #waits = new Waits();
  readonly #perform: Perform;
  readonly #session: RequestOptions['session'];
  #target: Target;
  #axios: AxiosInstance | undefined;
  #fetch: Fetch | undefined;
  #pin: PinnedIdentity | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: RequestOptions) {
    checkRequestOptions(options);
    const { engine, release } = acquireEngine(options);
    try {
      this.#target = targetOf(engine, engine.pools.of(options.endpoint, options.secretType), options.session);
    } catch (error) {
      void release();
      throw error;
    }
    this.#engine = engine;
    this.#inFlight = new InFlight(engine.inFlight);
    this.#release = release;
    this.#defaults = callOptions(options);
    this.#policy = overPolicy(engine.policy, options);
    this.#session = options.session;
    const sending: Sending = {
      enter: () => {
        this.#assertOpen();
        this.#inFlight.enter();
      },
      leave: () => this.#inFlight.leave(),
      sender: () => this.#sender(),
    };
    this.#perform = (read, answer) => perform(sending, read, answer);
  }

  /**
   * Sends one exchange through the whole pipeline, in place of fetch (`url, init`) or axios (`config`).
   *
   * Resolves an axios response with `exchange` beside it. Rejects with an `AxiosError` for statuses that
   * `validateStatus` refuses and for faults of the network, else with a `ProxyManagerError`.
   *
   * @throws {ConfigError} an argument is wrong, or nothing says where the key goes.
   * @throws {HostNotAllowedError} the url is outside the endpoint's `hosts`.
   * @throws {PoolExhaustedError} all credentials are used up or resting; `retryAt` says until when.
   * @throws {DeadlineError} `retry.deadlineMs` passed.
   * @throws {NotCachedError} `cache: 'only-if-cached'`, and nothing that is stored suits.
   * @throws {StoreError} the usage counts could not be reached, so nothing was sent.
   * @throws {ClosedError} this Request or its manager is closed.
   */
  send<T = unknown>(url: string | URL, init?: SendOptions): Promise<ExchangeResponse<T>>;
  send<T = unknown>(config: SendOptions): Promise<ExchangeResponse<T>>;
  send<T = unknown>(target: string | URL | SendOptions, init?: SendOptions): Promise<ExchangeResponse<T>> {
    return send<T>(this.#perform, this.#defaults, words(target, init));
  }

  /**
   * A dry run of `send`: what the cache says, which key and proxy would be used and why, why every other one would not,
   * and how long the pool would have to be waited for. Sends nothing, counts nothing, logs nothing.
   *
   * @throws {ConfigError} as `send` does before it sends.
   * @throws {HostNotAllowedError} the url is outside the endpoint's `hosts`.
   * @throws {StoreError} the usage counts could not be reached.
   * @example
   * ```ts
   * import { Request } from 'proxy-manager'
   *
   * const req = new Request({ endpoint: 'test_api', headers: { 'x-api-key': '{key}' } })
   * const { cache, key, candidates, waitMs } = await req.explain('https://api.example.com/items')
   * console.log(cache.because, key?.id, waitMs)
   * console.table(candidates.map(({ id, state, because }) => ({ id, state, because })))
   * await req.close()
   * ```
   */
  async explain(url: string | URL, init?: SendOptions): Promise<Explanation>;
  async explain(config: SendOptions): Promise<Explanation>;
  async explain(target: string | URL | SendOptions, init?: SendOptions): Promise<Explanation> {
    const call = words(target, init);
    checkSendOptions(call, 'explain');
    this.#assertOpen();
    return this.#tracked(async () => {
      const read = await toCall('explain', this.#defaults, call);
      return explain(this.#sender(), read);
    });
  }

  /**
   * Sends all of an iterable or async iterable, and iterates over the results in order of completion.
   *
   * It reads its input as it goes and keeps none of it, so a million inputs take the memory of `concurrency`. A failure
   * is a result like any other and stops nothing. Leaving the loop aborts what is under way.
   *
   * @throws {ConfigError} from the first step: an option is wrong, or the input is no iterable.
   * @example
   * ```ts
   * import { Request } from 'proxy-manager'
   *
   * const req = new Request({ endpoint: 'test_api', headers: { 'x-api-key': '{key}' } })
   * const urls = Array.from({ length: 100 }, (_, page) => `https://api.example.com/items?page=${page}`)
   * for await (const result of req.sendAll(urls, { concurrency: 20 })) {
   *   if (result.status === 'fulfilled') console.log(result.index, result.value.status)
   *   else console.error(result.index, result.reason)
   * }
   * await req.close()
   * ```
   */
  sendAll<T = unknown>(
    requests: AsyncIterable<SendAllInput> | Iterable<SendAllInput>,
    options: SendAllOptions = {},
  ): AsyncGenerator<SendAllResult<T>, void, undefined> {
    return sendAll<T>((call) => this.send<T>(call), requests, options);
  }

  /**
   * An axios instance on the same pipeline, for any SDK that takes one.
   *
   * It keeps axios's own contract: transforms, interceptors, responses, errors. Calls take the extras of `send` too, and
   * responses hold `exchange`.
   *
   * @example
   * ```ts
   * import { Request } from 'proxy-manager'
   *
   * const req = new Request({ endpoint: 'test_api', baseURL: 'https://api.example.com', timeout: 10_000 })
   * const { data } = await req.axios.get('/items', { params: { page: 1 }, headers: { 'x-api-key': '{key}' } })
   * console.log(data)
   * await req.close()
   * ```
   */
  get axios(): AxiosInstance {
    this.#axios ??= axiosDoor(this.#perform, this.#defaults);
    return this.#axios;
  }

  /**
   * A WHATWG `fetch` on the same pipeline, for any SDK that takes one.
   *
   * It rejects with a `TypeError` whose `cause` tells more, and with the signal's reason when that fires; never for a
   * status. `init` takes the extras of `send` too, and `baseURL`, `headers` and `timeout` are the Request's.
   *
   * @example
   * ```ts
   * import { Request } from 'proxy-manager'
   *
   * const req = new Request({ endpoint: 'test_api' })
   * const res = await req.fetch('https://api.example.com/items', { headers: { 'x-api-key': '{key}' } })
   * console.log(res.status, res.url, await res.json())
   * await req.close()
   * ```
   */
  get fetch(): Fetch {
    this.#fetch ??= fetchDoor(this.#perform, this.#defaults);
    return this.#fetch;
  }

  /**
   * Takes the least-used credential under its limits and keeps it for every later `send`, until called again.
   *
   * One use is counted at once, so that two Requests get different credentials; the first `send` spends it, each later
   * one counts one more, an unspent one is given back at close. `key` and `proxy` are plain strings for whatever must
   * be placed by hand, and are not enumerable, so that printing the result shows ids alone.
   *
   * @throws {PoolExhaustedError} all credentials are used up or resting.
   */
  async getKeyProxy(): Promise<KeyProxy> {
    this.#assertOpen();
    return this.#tracked(() => this.#takePin());
  }

  /**
   * The headers with a realistic User-Agent, as this Request's `userAgent` says, and what goes with it: client hints,
   * `accept-language`, and the browser's order. What is already there stays.
   */
  async addUserAgent(headers: Readonly<Record<string, string>> = {}): Promise<Record<string, string>> {
    const { userAgent: wanted } = this.#policy;
    if (typeof wanted === 'object' && 'value' in wanted) {
      return Object.fromEntries(withUserAgent(Object.entries(headers), wanted.value));
    }
    const userAgent = await randomUserAgent(typeof wanted === 'object' ? wanted.filter : undefined);
    return Object.fromEntries(withUserAgent(Object.entries(headers), userAgent));
  }

  /** Waits for exchanges under way, gives an unspent credential back, flushes the log, and closes only what this Request opened. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #sender(): Sender {
    const { endpoint, pool, session } = this.#present();
    return {
      engine: this.#engine,
      endpoint,
      pool,
      session,
      policy: this.#policy,
      waits: this.#waits,
      pin: this.#pin,
    };
  }

  /** By the secrets.json that is in force. */
  #present(): Target {
    const present = this.#engine.pools.present(this.#target.pool);
    if (present.pool !== this.#target.pool) this.#target = targetOf(this.#engine, present, this.#session);
    return this.#target;
  }

  /** Closing waits for it. */
  async #tracked<T>(work: () => Promise<T>): Promise<T> {
    this.#inFlight.enter();
    try {
      return await work();
    } finally {
      this.#inFlight.leave();
    }
  }

  async #takePin(): Promise<KeyProxy> {
    const waits = this.#waits;
    const { pool, session: named } = this.#present();
    const take = (demand: LeaseDemand): Promise<Lease> => this.#engine.lease(pool, demand, waits);
    const demand = { cost: 1, waitMs: this.#policy.waitMs };
    const { userAgent } = this.#policy;
    const filter = typeof userAgent === 'object' && 'filter' in userAgent ? userAgent.filter : undefined;
    const { lease, identity } =
      named === undefined
        ? { lease: await take(demand), identity: undefined }
        : await named.session.lease(demand, named.rules, take, filter);
    const pin = new PinnedIdentity(lease, take, this.#engine.clock, identity);
    const previous = this.#pin;
    this.#pin = pin;
    this.#engine.pins.add(pin);
    this.#engine.give(lease);
    await this.#unpin(previous);
    return pin.reveal();
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new ClosedError('Request');
    if (this.#engine.closed) throw new ClosedError('ProxyManager');
  }

  async #close(): Promise<void> {
    // Whoever waits for the pool has sent nothing: it is sent away, what is under way is waited for.
    this.#waits.end(new ClosedError('Request'));
    await this.#inFlight.rest();
    await this.#unpin(this.#pin);
    await this.#release();
  }

  async #unpin(pin: PinnedIdentity | undefined): Promise<void> {
    if (pin === undefined) return;
    this.#engine.pins.delete(pin);
    await pin.release();
  }
}

/** Both forms of a call as one. */
function words(target: string | URL | SendOptions, init: SendOptions | undefined): SendOptions {
  // Faster than a spread, as in `overDefaults`.
  if (typeof target === 'string' || target instanceof URL)
    return Object.assign(new Bare(), init, { url: String(target) });
  return isObject(target) ? Object.assign(new Bare(), target) : target;
}

/** Where a Request takes its credentials from. */
interface Target extends PoolOfEndpoint {
  readonly session: NamedSession | undefined;
}

function targetOf(engine: Engine, { endpoint, pool }: PoolOfEndpoint, session: RequestOptions['session']): Target {
  return { endpoint, pool, session: namedSession(session, (name) => engine.session(pool, name)) };
}
