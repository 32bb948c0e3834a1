import type { HeaderList } from '../pipeline/headers.js';
import type { SecretPattern } from '../pipeline/secret-pattern.js';
import type { CacheEntry } from './cache-store.js';
import { isHarEntry } from './har.js';
import { cacheKey, cacheUrl } from './key.js';

/** The end of the year 9999: the last moment that every store can write down. */
const LATEST_MS = 253_402_300_799_999;

/** What belongs to a connection or to one caller. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'set-cookie',
  'transfer-encoding',
]);

/**
 * One exchange of a HAR as an entry of the cache that begins now and does not end; undefined where it cannot be one: no
 * answer, no content, or a pool secret in it. A secret in the url or the body of the request becomes `{key}`, as callers
 * write it.
 */
export function toCassette(
  exchange: unknown,
  secrets: readonly SecretPattern[],
  nowMs: number,
): { readonly key: string; readonly entry: CacheEntry } | undefined {
  if (!isHarEntry(exchange)) return undefined;
  const { request, response, _proxyManager: own } = exchange;
  const body = bodyOf(response.content);
  if (response.status < 200 || body === undefined || !URL.canParse(request.url)) return undefined;
  const url = secrets.reduce((masked, secret) => secret.hideInUrl(masked), new URL(request.url));
  const headers = response.headers
    // HTTP/2's own fields begin with a colon; one field of a HAR may hold several, a line each.
    .filter(({ name }) => !name.startsWith(':') && !LEFT_OUT.has(name.toLowerCase()))
    .map(({ name, value }): HeaderList[number] => [name.toLowerCase(), value.replaceAll('\n', ', ')])
    // A browser's HAR has the body without its coding; in ours what is named is still there.
    .filter(([name]) => own !== undefined || name !== 'content-encoding');
  const text = headers.flat().join('\n');
  if (secrets.some((secret) => secret.inBytes(body) || secret.in(text) || secret.inHost(url))) return undefined;
  const method = request.method.toUpperCase();
  const sent = request.postData?.text;
  const ownKey = own !== undefined && /^[0-9a-f]{64}$/.test(own.key) ? own.key : undefined;
  const key = ownKey ?? cacheKey({ method, url, body: sent === undefined ? undefined : hidden(sent, secrets) });
  if (key === undefined) return undefined;
  const entry: CacheEntry = {
    method,
    url: cacheUrl(url),
    finalUrl: own?.finalUrl,
    httpVersion: /^(?:http\/|h)([\d.]+)/i.exec(response.httpVersion)?.[1] ?? '1.1',
    status: response.status,
    statusText: response.statusText,
    headers,
    body,
    storedAtMs: nowMs,
    initialAgeMs: 0,
    staleAtMs: LATEST_MS,
    expiresAtMs: LATEST_MS,
    variant: own?.variant,
    tags: own?.tags ?? [],
  };
  return { key, entry };
}

function hidden(text: string, secrets: readonly SecretPattern[]): string {
  return secrets.reduce((masked, secret) => secret.hide(masked), text);
}

function bodyOf({ text, encoding, size }: { text?: string; encoding?: string; size: number }): Buffer | undefined {
  if (text === undefined) return size > 0 ? undefined : Buffer.alloc(0);
  return Buffer.from(text, encoding === 'base64' ? 'base64' : 'utf8');
}
