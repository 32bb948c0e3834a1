import { ConfigError } from '../errors.js';
import { cacheOption } from './cache-rules.js';
import { misspelt, misspeltOurs } from './misspelt.js';
import { nearMiss } from './near-miss.js';
import type { Rules } from './option-rules.js';
import {
  bool,
  checkFields,
  either,
  has,
  isObject,
  isText,
  isTime,
  object,
  oneOf,
  positiveInteger,
  required,
} from './option-rules.js';
import { positiveTime, rule, text, time } from './option-rules.js';
import { found, problem } from './problem.js';
import type { Endpoints } from './resolve.js';
import { showsEndpoint, WORD } from './shown.js';

const HEADER_NAME = /^[!#$%&'*+.^_`|~\dA-Za-z-]+$/;

function isCount(value: unknown): boolean {
  return value === Infinity || (Number.isSafeInteger(value) && Number(value) > 0);
}

const RETRY: Rules = { attempts: positiveInteger, deadlineMs: positiveTime, unsafe: bool };
const retry = object(RETRY, knownIn(RETRY));
const wait = rule('true, false or milliseconds', (value) => typeof value === 'boolean' || isTime(value));
const outcome = rule('a function', (value) => typeof value === 'function');

const pattern = rule('text or a RegExp', (value) => typeof value === 'string' || value instanceof RegExp);
const USER_AGENT_FILTER: Rules = {
  deviceCategory: rule('desktop, mobile or tablet', oneOf('desktop', 'mobile', 'tablet'), WORD),
  platform: pattern,
  vendor: pattern,
  userAgent: pattern,
};

/** The extras of a call, of a Request and, as far as they are there, of a manager. */
const EXCHANGE: Rules = {
  cache: cacheOption,
  retry,
  wait,
  outcome,
  labels: rule('an object of strings', (value) => {
    return isObject(value) && Object.values(value).every((label) => typeof label === 'string');
  }),
  userAgent: either(
    object(USER_AGENT_FILTER, knownIn(USER_AGENT_FILTER)),
    rule(
      'true, false, a filter or a user agent in printable ASCII',
      (value) => typeof value === 'boolean' || (typeof value === 'string' && /^[ -~]+$/.test(value)),
      // Not with a header behind a line break.
      /^[^:@=]{1,20}$/,
    ),
  ),
  countRedirects: bool,
};

const SESSION: Rules = {
  name: text,
  maxAgeMs: rule('a positive number of milliseconds', (value) => typeof value === 'number' && value > 0),
  maxUses: rule('a positive integer or Infinity', isCount),
  maxErrors: rule('a positive integer or Infinity', isCount),
};

// null is fetch's word for none.
const signal = rule(
  'an AbortSignal',
  (value) => value === null || has('addEventListener', 'removeEventListener')(value),
);

/** What axios leaves unchecked, and would fail on in other words or not at all. */
const AXIOS: Rules = {
  timeout: time,
  method: text,
  headers: rule('an object, Headers or pairs', (value) => typeof value === 'object', 'secret'),
  signal,
  adapter: (_, path, problems) => problems.push(problem(path, 'not taken, the transport of the ProxyManager sends')),
  redirect: rule('follow; maxRedirects: 0 gives the redirect itself', (value) => value === 'follow'),
  url: rule('a string or an URL', (value) => typeof value === 'string' || value instanceof URL, 'secret'),
  baseURL: rule('a string', isText, 'secret'),
};

const SERVICE: Rules = { name: text, version: text, environment: text, nodeName: text };

const BODIES: Rules = {
  maxBytes: positiveInteger,
  statuses: rule(
    'an array of statuses and classes of them (404, 5xx)',
    (value) => Array.isArray(value) && value.every((each) => /^[1-5](?:xx|\d\d)$/.test(String(each))),
  ),
};

const LOG: Rules = {
  sinks: rule('an array of sinks', (value) => Array.isArray(value) && value.every(has('ship', 'close'))),
  maxBytes: positiveInteger,
  maxDays: positiveInteger,
  retentionDays: positiveInteger,
  sample: rule('a number from 0 to 1', (value) => typeof value === 'number' && value >= 0 && value <= 1),
  console: bool,
  service: required('name', object(SERVICE, knownIn(SERVICE))),
  headers: rule(
    'an array of header names',
    (value) => Array.isArray(value) && value.every((name) => typeof name === 'string' && HEADER_NAME.test(name)),
  ),
  bodies: required('maxBytes', object(BODIES, knownIn(BODIES))),
};

const TRACE: Rules = {
  traceparent: rule('a function', (value) => typeof value === 'function'),
  propagate: bool,
};

/** What a manager is made of, and a Request without one. Urls and keys stay out of errors. */
const RESOURCES: Rules = {
  secrets: rule(
    'a path, an URL or an object',
    (value) => typeof value === 'string' || (typeof value === 'object' && value !== null),
    'secret',
  ),
  dataDir: text,
  redis: rule('an url, ioredis options or an ioredis client', (value) => isText(value) || isObject(value), 'secret'),
  elasticsearch: rule('an url, client options or a client', (value) => isText(value) || isObject(value), 'secret'),
  installAssets: bool,
  usage: either(
    rule('a UsageStore', has('take', 'arrived', 'giveBack', 'rest', 'read', 'note', 'standings', 'learn', 'close')),
    rule(
      'elasticsearch, embedded, memory, redis or a UsageStore',
      oneOf('elasticsearch', 'embedded', 'memory', 'redis'),
      WORD,
    ),
  ),
  onStoreFailure: rule('refuse or local', oneOf('refuse', 'local'), WORD),
  log: object(LOG, knownIn(LOG)),
  trace: object(TRACE, knownIn(TRACE)),
  fingerprintKey: rule('a string', isText, 'secret'),
  clock: rule('an object with now()', has('now')),
  watch: bool,
};

const MANAGER_CACHE: Rules = {
  store: either(
    rule('a CacheStore', has('get', 'set', 'delete', 'clear', 'list', 'stats', 'close')),
    rule(
      'elasticsearch, embedded, memory, redis or a CacheStore',
      oneOf('elasticsearch', 'embedded', 'memory', 'redis'),
      WORD,
    ),
  ),
  memoryMaxBytes: positiveInteger,
  memoryMaxAgeMs: time,
  maxBytes: positiveInteger,
};

const MANAGER: Rules = {
  ...RESOURCES,
  cache: object(MANAGER_CACHE, knownIn(MANAGER_CACHE)),
  retry,
  wait,
  outcome,
  transport: rule('a Transport', has('send', 'close')),
};

const REQUEST: Rules = {
  ...AXIOS,
  ...RESOURCES,
  ...EXCHANGE,
  session: either(
    required('name', object(SESSION, knownIn(SESSION))),
    rule('a name, or an object with a name', isText, 'secret'),
  ),
  endpoint: text,
  manager: rule('a ProxyManager', has('request', 'close')),
  secretType: rule('key or ip', oneOf('key', 'ip'), WORD),
};

const EXTRAS: Rules = {
  ...EXCHANGE,
  cost: positiveInteger,
  session: (_, path, problems) =>
    problems.push(problem(path, 'not of a call but of a Request: new Request({ session })')),
};

const SEND: Rules = { ...AXIOS, ...EXTRAS };

const FETCH: Rules = { ...EXTRAS, timeout: time };

const SEND_ALL: Rules = {
  concurrency: positiveInteger,
  onProgress: rule('a function', (value) => typeof value === 'function'),
  signal,
  total: rule('a number from 0', (value) => typeof value === 'number' && value >= 0),
};

/** Throws one `ConfigError` with every mistake in the options of a ProxyManager, unknown ones included. */
export function checkManagerOptions(options: unknown): void {
  check('ProxyManager', options, MANAGER, knownIn(MANAGER), unwatchable);
}

/** Throws one `ConfigError` with every mistake in the options of a Request; those of axios pass. */
export function checkRequestOptions(options: unknown): void {
  check('Request', options, REQUEST, undefined, (given, problems) => {
    misspelt(given, REQUEST, problems);
    unwatchable(given, problems);
    const hasEndpoint = 'endpoint' in given && given.endpoint !== undefined;
    if (!hasEndpoint) problems.push('endpoint: expected a string, found nothing');
  });
}

/** Throws one `ConfigError` with every mistake in the arguments of one call; those of axios pass. */
export function checkSendOptions(init: unknown, door: 'explain' | 'send' = 'send'): void {
  check(door, init, SEND, undefined, beyondTheFields);
}

function beyondTheFields(given: object, problems: string[]): void {
  misspelt(given, SEND, problems);
  const both = 'body' in given && 'data' in given && given.body !== undefined && given.data !== undefined;
  if (both) problems.push('body: expected body or data, found both');
}

/** Throws one `ConfigError` with every mistake in the extras among the words of an axios or fetch call. */
export function checkExtras(door: 'axios' | 'fetch', words: object): void {
  const rules = door === 'axios' ? EXTRAS : FETCH;
  const extras: Record<string, unknown> = {};
  for (const name of Object.keys(words)) if (Object.hasOwn(rules, name)) extras[name] = Reflect.get(words, name);
  check(door, extras, rules, undefined, (_, problems) => misspeltOurs(words, rules, problems));
}

/** Throws one `ConfigError` with every mistake in what `sendAll` is given, unknown options included. */
export function checkSendAll(inputs: unknown, options: unknown): void {
  check('sendAll', options, SEND_ALL, knownIn(SEND_ALL), (_, problems) => {
    const isIterable =
      typeof inputs === 'object' && inputs !== null && (Symbol.iterator in inputs || Symbol.asyncIterator in inputs);
    if (!isIterable) problems.push('requests: expected an iterable or async iterable of urls and calls');
  });
}

function unwatchable(given: { readonly secrets?: unknown; readonly watch?: unknown }, problems: string[]): void {
  const { secrets, watch } = given;
  if (watch !== true || !isObject(secrets) || secrets instanceof URL) return;
  problems.push(
    'watch: expected secrets to be a path or a file: URL, found the object itself, which has no file to watch',
  );
}

/** The error for an endpoint that secrets.json does not have: the nearest one first, then all that may be shown. */
export function unknownEndpoint(name: string, endpoints: Endpoints): ConfigError {
  const names = [...endpoints.keys()].filter(showsEndpoint);
  const near = nearMiss(name, names);
  const asked = showsEndpoint(name) ? JSON.stringify(name) : 'the name (it is not shown, it may be a secret)';
  const known = names.map((each) => JSON.stringify(each));
  if (names.length < endpoints.size) known.push(`${endpoints.size - names.length} whose name is not shown`);
  const meant = near === undefined ? '' : `, did you mean ${JSON.stringify(near)}?`;
  return new ConfigError('endpoint', [`${asked} is not in secrets.json${meant}; known are ${known.join(', ')}`]);
}

function check(
  where: string,
  options: unknown,
  rules: Rules,
  known: readonly string[] | undefined,
  further?: (given: object, problems: string[]) => void,
): void {
  if (!isObject(options)) {
    const wanted =
      where === 'send' || where === 'explain' ? 'a url, or an object of options with one' : 'an object of options';
    throw new ConfigError(where, [`expected ${wanted}, found ${found(options)}`]);
  }
  const problems: string[] = [];
  checkFields(options, rules, [], problems, known);
  further?.(options, problems);
  if (problems.length > 0) throw new ConfigError(where, problems);
}

function knownIn(rules: Rules): readonly string[] {
  return Object.keys(rules);
}
