import { isSlip, nearMiss, SURELY_MEANT } from './near-miss.js';
import type { Rules } from './option-rules.js';
import { misplacedField, problem } from './problem.js';

/** The options that axios or the transport checks. */
const PASSED_ON: ReadonlySet<string> = new Set([
  'allowAbsoluteUrls',
  'allowedSocketPaths',
  'auth',
  'beforeRedirect',
  'body',
  'cancelToken',
  'data',
  'decompress',
  'family',
  'formDataHeaderPolicy',
  'formSerializer',
  'http2Options',
  'httpAgent',
  'httpVersion',
  'httpsAgent',
  'insecureHTTPParser',
  'lookup',
  'maxBodyLength',
  'maxContentLength',
  'maxRate',
  'maxRedirects',
  'onDownloadProgress',
  'onUploadProgress',
  'params',
  'paramsSerializer',
  'parseReviver',
  'proxy',
  'responseEncoding',
  'responseType',
  'sensitiveHeaders',
  'socketPath',
  'timeoutErrorMessage',
  'transformRequest',
  'transformResponse',
  'transitional',
  'transport',
  'validateStatus',
  'withCredentials',
  'withXSRFToken',
  'xsrfCookieName',
  'xsrfHeaderName',
]);

/** Where those are that somebody writes beside the others, or knows from other libraries. */
const INSIDE: Readonly<Record<string, string>> = {
  attempts: 'retry.attempts',
  concurrency: 'sendAll(urls, { concurrency })',
  deadlineMs: 'retry.deadlineMs',
  retries: 'retry.attempts',
  tags: 'cache.tags',
  ttl: 'cache.ttlMs',
  ttlMs: 'cache.ttlMs',
};

/**
 * Fields of a Request or a `send` that only a slip of the pen keeps from being one of its options: axios lets people add
 * fields of their own, so that other unknown ones pass.
 */
export function misspelt(given: object, options: Rules, problems: string[]): void {
  tellSlips(given, options, problems, (name) =>
    name.startsWith('_') ? undefined : (meant(name, [...Object.keys(options), ...PASSED_ON]) ?? insideOf(name)),
  );
}

function meant(name: string, options: readonly string[]): string | undefined {
  return name.length < SURELY_MEANT ? options.find((option) => isSlip(name, option)) : nearMiss(name, options);
}

function insideOf(name: string): string | undefined {
  const option = Object.keys(INSIDE).find((each) => isSlip(name, each));
  return option === undefined ? undefined : INSIDE[option];
}

/**
 * Slips of `options`, all of them ours, among the words of an axios or fetch call. What interceptors and SDKs add for
 * themselves is theirs, so only what is one slip away is taken for one.
 */
export function misspeltOurs(words: object, options: Rules, problems: string[]): void {
  tellSlips(words, options, problems, (name) => Object.keys(options).find((option) => isSlip(name, option)));
}

function tellSlips(
  given: object,
  options: Rules,
  problems: string[],
  meantBy: (name: string) => string | undefined,
): void {
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(options, name) || PASSED_ON.has(name)) continue;
    const near = meantBy(name);
    if (near !== undefined) problems.push(problem(...misplacedField([], name, `did you mean ${near}?`)));
  }
}
