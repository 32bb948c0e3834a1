import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { RequestDefaults, RequestOptions, SendOptions } from './config/options.js';
import { overPolicy } from './config/policy.js';
import { checkRequestOptions, checkSendOptions, unknownEndpoint } from './config/validate-options.js';
import type { Endpoint } from './config/resolve.js';
import { assertSendable } from './doors/assert-sendable.js';
import { callerAbort, callOptions, overDefaults } from './doors/call.js';
import { toOutbound } from './doors/outbound.js';
import type { ExchangeResponse } from './doors/response.js';
import { settleReply, toCallerError } from './doors/send.js';
import { endWithCaller } from './doors/stream.js';
import type { Engine } from './engine.js';
import { acquireEngine } from './engine-sharing.js';
import { ClosedError } from './errors.js';
import { randomUserAgent } from './identity/user-agents.js';
import { withUserAgent } from './identity/with-user-agent.js';
import { exchangeAbort } from './pipeline/abort.js';
import type { Exchange, ExchangePolicy } from './pipeline/exchange.js';
import { openAttempt } from './pipeline/exchange.js';
import { conceal, concealLabels } from './pipeline/as-written.js';
import { patienceMs } from './pool/patience.js';
import { Waits } from './pipeline/waits.js';
import { PinnedIdentity } from './pool/pinned-identity.js';
import type { KeyProxy } from './pool/pinned-identity.js';
import type { Pool } from './usage/usage-store.js';

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
  readonly #endpoint: Endpoint;
  readonly #pool: Pool;
  readonly #defaults: RequestDefaults;
  readonly #policy: ExchangePolicy;
  readonly #inFlight = new Set<Promise<unknown>>();
  readonly #waits = new Waits();
  #pin: PinnedIdentity | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: RequestOptions) {
    checkRequestOptions(options);
    const { engine, release } = acquireEngine(options);
    try {
      const endpoint = engine.endpoints.get(options.endpoint);
      if (endpoint === undefined) throw unknownEndpoint(options.endpoint, engine.endpoints);
      this.#endpoint = endpoint;
      this.#pool = engine.poolOf(endpoint, options.secretType);
    } catch (error) {
      void release();
      throw error;
    }
    this.#engine = engine;
    this.#release = release;
    this.#defaults = callOptions(options);
    this.#policy = overPolicy(engine.policy, options);
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
   * @throws {StoreError} the usage counts could not be reached, so nothing was sent.
   * @throws {ClosedError} this Request or its manager is closed.
   */
  async send<T = unknown>(url: string | URL, init?: SendOptions): Promise<ExchangeResponse<T>>;
  async send<T = unknown>(config: SendOptions): Promise<ExchangeResponse<T>>;
  async send<T = unknown>(target: string | URL | SendOptions, init: SendOptions = {}): Promise<ExchangeResponse<T>> {
    this.#assertOpen();
    const call = typeof target === 'string' || target instanceof URL ? { ...init, url: String(target) } : target;
    checkSendOptions(call);
    return this.#tracked(this.#exchange<T>(call));
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
    return this.#tracked(this.#takePin());
  }

  /** The headers with a realistic User-Agent and the client hints that match it; what is already there stays. */
  async addUserAgent(headers: Readonly<Record<string, string>> = {}): Promise<Record<string, string>> {
    return Object.fromEntries(withUserAgent(Object.entries(headers), await randomUserAgent()));
  }

  /** Waits for exchanges under way, gives an unspent credential back, flushes the log, and closes only what this Request opened. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Closing waits for it. */
  async #tracked<T>(work: Promise<T>): Promise<T> {
    this.#inFlight.add(work);
    try {
      return await this.#engine.track(work);
    } finally {
      this.#inFlight.delete(work);
    }
  }

  async #takePin(): Promise<KeyProxy> {
    const waits = this.#waits;
    const lease = await this.#engine.lease(this.#pool, { cost: 1, waitMs: this.#policy.waitMs }, waits);
    const { clock } = this.#engine;
    const pin = new PinnedIdentity(lease, (demand) => this.#engine.lease(this.#pool, demand, waits), clock);
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
    await Promise.allSettled(this.#inFlight);
    await this.#unpin(this.#pin);
    await this.#release();
  }

  async #unpin(pin: PinnedIdentity | undefined): Promise<void> {
    if (pin === undefined) return;
    this.#engine.pins.delete(pin);
    await pin.release();
  }

  async #exchange<T>(call: SendOptions): Promise<ExchangeResponse<T>> {
    const config = overDefaults(this.#defaults, call);
    const policy = overPolicy(this.#policy, call);
    const pin = this.#pin;
    const patterns = this.#engine.givenPatterns;
    const outbound = await toOutbound(config, this.#defaults.headers);
    const headersMs = patienceMs(this.#pool, config.timeout ?? 0, policy.retry);
    const bounded = headersMs === undefined ? outbound : { ...outbound, wire: { ...outbound.wire, headersMs } };
    const request = conceal(bounded, patterns);
    assertSendable(request, {
      endpoint: this.#endpoint,
      pool: this.#pool,
      isPinned: pin !== undefined,
      given: patterns,
    });
    const abort = exchangeAbort({
      ...callerAbort(config),
      timeoutMs: config.timeout ?? 0,
      deadlineMs: policy.retry.deadlineMs,
    });
    const exchange: Exchange = {
      id: randomUUID(),
      endpoint: this.#endpoint,
      pool: this.#pool,
      request,
      policy: patterns.length === 0 ? policy : { ...policy, labels: concealLabels(policy.labels, patterns) },
      signal: abort.signal,
      pin,
      waits: this.#waits,
      avoid: NONE,
      lease: undefined,
      attempt: openAttempt(0, this.#engine.clock.now()),
      trace: {
        startedAtMs: this.#engine.clock.now(),
        startedMs: performance.now(),
        attempts: 0,
        waitedMs: 0,
        cache: 'bypass',
        cacheKey: undefined,
        cacheAgeMs: undefined,
        last: undefined,
      },
    };
    let isStreaming = false;
    try {
      abort.signal.throwIfAborted();
      const reply = await this.#engine.run(exchange);
      isStreaming = reply.body instanceof Readable;
      if (reply.body instanceof Readable) {
        endWithCaller(reply.body, abort, (reason) => toCallerError(exchange, config, reason));
      }
      return settleReply<T>(exchange, config, reply);
    } catch (error) {
      throw toCallerError(exchange, config, error);
    } finally {
      if (!isStreaming) abort.dispose();
    }
  }
}

const NONE: ReadonlySet<string> = new Set();
