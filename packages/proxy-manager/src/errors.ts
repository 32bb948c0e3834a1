import { inspect } from 'node:util';

/** The `code` of every error that Proxy Manager itself raises; faults of the network keep axios's codes. */
export type ProxyManagerErrorCode =
  | 'ERR_CLOSED'
  | 'ERR_CONFIG'
  | 'ERR_DEADLINE'
  | 'ERR_HOST_NOT_ALLOWED'
  | 'ERR_NOT_CACHED'
  | 'ERR_POOL_EXHAUSTED'
  | 'ERR_STORE';

/**
 * The base of every error that is Proxy Manager's own. HTTP statuses and network faults are `AxiosError`s instead.
 *
 * @example
 * ```ts
 * import { ProxyManagerError, Request } from 'proxy-manager'
 *
 * const req = new Request({ endpoint: 'test_api' })
 * try {
 *   await req.send('https://api.example.com/items', { headers: { 'x-api-key': '{key}' } })
 * } catch (error) {
 *   if (error instanceof ProxyManagerError) console.error(error.code, error.message)
 *   else throw error
 * } finally {
 *   await req.close()
 * }
 * ```
 */
export abstract class ProxyManagerError extends Error {
  abstract readonly code: ProxyManagerErrorCode;
}

/** Settings, secrets or arguments are wrong; the message holds one line per mistake. Nothing was sent. */
export class ConfigError extends ProxyManagerError {
  override readonly name = 'ConfigError';
  readonly code = 'ERR_CONFIG';
  // Behind a getter, as in `PoolExhaustedError`: a field is printed below the message, which says the same.
  readonly #problems: readonly string[];

  constructor(where: string, problems: readonly string[], options?: ErrorOptions) {
    super(problems.length === 1 ? `${where}: ${problems[0]}` : [`${where}:`, ...problems].join('\n  '), options);
    this.#problems = problems;
  }

  /** One entry per mistake: where, what was expected, what was found. */
  get problems(): readonly string[] {
    return this.#problems;
  }
}

/** Why one credential of an exhausted pool does not serve. */
export interface RestingCredential {
  /** The key's id or fingerprint, or the proxy's. */
  readonly id: string;
  readonly secretType: 'ip' | 'key';
  /** Undefined where it is not the time that it waits for. */
  readonly until: Date | undefined;
  /** In words: `throttled (status 429)`, `used 250 of 250`, `dead: …`. */
  readonly because: string;
}

/** So many credentials have a line in the message. */
const LINES = 20;

/** Every key or proxy of the endpoint is used up or resting; the message has a line for each, as far as there are not many. */
export class PoolExhaustedError extends ProxyManagerError {
  override readonly name = 'PoolExhaustedError';
  readonly code = 'ERR_POOL_EXHAUSTED';
  readonly endpoint: string;
  /** When the first credential can serve again. */
  readonly retryAt: Date;
  readonly #credentials: readonly RestingCredential[];

  constructor(endpoint: string, what: 'key' | 'proxy', retryAt: Date, credentials: readonly RestingCredential[] = []) {
    const plural = what === 'key' ? 'keys' : 'proxies';
    const lines = credentials.slice(0, LINES).map(({ id, until, because }) => {
      return `${what} ${id}: ${because}${until === undefined ? '' : `, until ${until.toISOString()}`}`;
    });
    const others = credentials.length - lines.length;
    if (others > 0) lines.push(`and ${others} more; error.credentials has them all`);
    super(
      [
        `all ${plural} of endpoint "${endpoint}" are used up or resting; the first is ready again at ${retryAt.toISOString()}. ` +
          'Wait for it with { wait: true } or { wait: <ms> }, or add another one to secrets.json.',
        ...lines,
      ].join('\n  '),
    );
    this.endpoint = endpoint;
    this.retryAt = retryAt;
    this.#credentials = credentials;
  }

  /** Why each does not serve at present; of more than a hundred as it was a second ago at most. */
  get credentials(): readonly RestingCredential[] {
    return this.#credentials;
  }
}

/** The url is outside the endpoint's `hosts`, so its key must not travel there. */
export class HostNotAllowedError extends ProxyManagerError {
  override readonly name = 'HostNotAllowedError';
  readonly code = 'ERR_HOST_NOT_ALLOWED';

  constructor(endpoint: string, host: string, hosts: readonly string[]) {
    super(
      `endpoint "${endpoint}" may not send to ${host}: its hosts in secrets.json are ${hosts.join(', ')}. ` +
        'Add the host there, or use another endpoint.',
    );
  }
}

/** `retry.deadlineMs` passed before a reply came. */
export class DeadlineError extends ProxyManagerError {
  override readonly name = 'DeadlineError';
  readonly code = 'ERR_DEADLINE';

  constructor(deadlineMs: number) {
    super(`no reply within retry.deadlineMs = ${deadlineMs} ms, all attempts together`);
  }
}

/** `cache: 'only-if-cached'`, and the cache has no reply that suits. Nothing was sent. */
export class NotCachedError extends ProxyManagerError {
  override readonly name = 'NotCachedError';
  readonly code = 'ERR_NOT_CACHED';

  constructor(method: string, url: URL) {
    super(
      `${method} ${url.origin}${url.pathname} is not in the cache, and with cache: 'only-if-cached' nothing is sent. ` +
        "Fetch it once with cache: 'force-cache', which asks the origin for what is missing.",
    );
  }
}

/** The Request or its ProxyManager is closed. */
export class ClosedError extends ProxyManagerError {
  override readonly name = 'ClosedError';
  readonly code = 'ERR_CLOSED';

  constructor(what: 'ProxyManager' | 'Request') {
    super(`this ${what} is closed; make a new one to send again`);
  }
}

/** A store that must answer (the usage counts) did not: nothing was sent uncounted. */
export class StoreError extends ProxyManagerError {
  override readonly name = 'StoreError';
  readonly code = 'ERR_STORE';

  constructor(store: string, doing: string, cause: unknown) {
    const bare = bareError(cause);
    super(`${store}: could not ${doing}: ${bare.message}`, { cause: bare });
  }
}

/** The user and password of an url. */
const USERINFO = /(?<=\/\/)[^\s/?#"'<>]*(?=@)/g;

/**
 * What `error` says and no more: its name, its code, and its message after `mask` and without the userinfo of urls.
 * Clients put their settings and the arguments of commands on their errors, and both hold passwords.
 */
export function bareError(error: unknown, mask: (text: string) => string = (text) => text): Error {
  const { name, code, message } = wordsOf(error);
  const bare = new Error(mask(message).replaceAll(USERINFO, '***'));
  // As class names are: not among the fields.
  Object.defineProperty(bare, 'name', { value: name, configurable: true, writable: true });
  return code === undefined ? bare : Object.assign(bare, { code });
}

function wordsOf(error: unknown): { name: string; code: string | undefined; message: string } {
  if (!(error instanceof Error)) {
    return { name: 'Error', code: undefined, message: typeof error === 'string' ? error : inspect(error) };
  }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  // Of several failed addresses Node gives no message, only the code.
  return { name: error.name, code, message: error.message || (code ?? error.name) };
}
