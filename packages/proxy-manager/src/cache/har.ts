import { isUtf8 } from 'node:buffer';
import type { Cookie } from 'tough-cookie';
import { header } from '../pipeline/headers.js';
import type { CacheEntry } from './cache-store.js';

export interface HarPair {
  readonly name: string;
  readonly value: string;
}

export interface HarCookie extends HarPair {
  readonly path?: string;
  readonly domain?: string;
  readonly expires?: string;
  readonly httpOnly: boolean;
  readonly secure: boolean;
}

/** One exchange of a HAR, with the fields that are read and written here; others may stand beside them. */
export interface HarEntry {
  readonly startedDateTime: string;
  /** ms. */
  readonly time: number;
  readonly request: {
    readonly method: string;
    readonly url: string;
    readonly httpVersion: string;
    readonly cookies: readonly unknown[];
    readonly headers: readonly HarPair[];
    readonly queryString: readonly HarPair[];
    readonly postData?: { readonly mimeType?: string; readonly text?: string };
    readonly headersSize: number;
    readonly bodySize: number;
  };
  readonly response: {
    readonly status: number;
    readonly statusText: string;
    readonly httpVersion: string;
    readonly cookies: readonly HarCookie[];
    readonly headers: readonly HarPair[];
    readonly content: {
      readonly size: number;
      readonly mimeType: string;
      readonly text?: string;
      readonly encoding?: string;
    };
    readonly redirectURL: string;
    readonly headersSize: number;
    readonly bodySize: number;
  };
  readonly cache: object;
  readonly timings: { readonly send: number; readonly wait: number; readonly receive: number };
  /** What Chromium's devtools list it as. */
  readonly _resourceType?: string;
  readonly _proxyManager?: HarExtra;
}

/** What the cache knows of an entry and HAR has no word for. */
export interface HarExtra {
  readonly key: string;
  readonly finalUrl?: string;
  readonly expiresAt: string;
  readonly tags: readonly string[];
  readonly variant?: NonNullable<CacheEntry['variant']>;
}

/** An HTTP Archive, version 1.2. */
export interface Har {
  readonly log: {
    readonly version: '1.2';
    readonly creator: { readonly name: string; readonly version: string };
    readonly pages?: readonly unknown[];
    readonly entries: readonly HarEntry[];
  };
}

/** Nobody has kept how long it took; what took no time at all Chromium's devtools show as pending. */
const TOOK_MS = 0.001;

/** A stored reply as an exchange that a HAR viewer shows. Requests have no headers and no body: the cache keeps neither. */
export function toHarEntry(
  key: string,
  entry: CacheEntry,
  parseCookie: (field: string) => Cookie | undefined,
): HarEntry {
  const { body, finalUrl, headers, httpVersion, method, status, statusText, url, variant } = entry;
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const protocol = httpVersion === '' ? 'HTTP/1.1' : `HTTP/${httpVersion}`;
  const isText = isUtf8(bytes);
  return {
    startedDateTime: new Date(entry.storedAtMs).toISOString(),
    time: TOOK_MS,
    request: {
      method,
      url,
      httpVersion: protocol,
      cookies: [],
      headers: [],
      queryString: [...new URL(url).searchParams].map(([name, value]) => ({ name, value })),
      headersSize: -1,
      bodySize: -1,
    },
    response: {
      status,
      statusText,
      httpVersion: protocol,
      cookies: headers.flatMap(([name, value]) => (name === 'set-cookie' ? toHarCookies(parseCookie(value)) : [])),
      headers: headers.map(([name, value]) => ({ name, value })),
      content: {
        size: bytes.byteLength,
        mimeType: header(headers, 'content-type') ?? 'x-unknown',
        text: isText ? bytes.toString() : bytes.toString('base64'),
        ...(isText ? {} : { encoding: 'base64' }),
      },
      redirectURL: header(headers, 'location') ?? '',
      headersSize: -1,
      bodySize: -1,
    },
    cache: {},
    timings: { send: 0, wait: TOOK_MS, receive: 0 },
    _resourceType: 'fetch',
    _proxyManager: {
      key,
      ...(finalUrl === undefined ? {} : { finalUrl }),
      expiresAt: new Date(entry.expiresAtMs).toISOString(),
      tags: entry.tags,
      ...(variant === undefined ? {} : { variant }),
    },
  };
}

function toHarCookies(cookie: Cookie | undefined): HarCookie[] {
  if (cookie === undefined) return [];
  const { key: name, value, path, domain, expires, httpOnly, secure } = cookie;
  return [
    {
      name,
      value,
      ...(path === null ? {} : { path }),
      ...(domain === null ? {} : { domain }),
      ...(expires instanceof Date ? { expires: expires.toISOString() } : {}),
      httpOnly,
      secure,
    },
  ];
}

/** True where it has what a cassette is made of; what else HAR asks for may be missing. */
export function isHarEntry(value: unknown): value is HarEntry {
  if (!isRecord(value) || !isRecord(value['request']) || !isRecord(value['response'])) return false;
  const { request, response, _proxyManager: own } = value;
  const { content, headers } = response;
  return (
    typeof request['method'] === 'string' &&
    typeof request['url'] === 'string' &&
    (request['postData'] === undefined || isRecord(request['postData'])) &&
    typeof response['status'] === 'number' &&
    typeof response['statusText'] === 'string' &&
    typeof response['httpVersion'] === 'string' &&
    Array.isArray(headers) &&
    headers.every(
      (field) => isRecord(field) && typeof field['name'] === 'string' && typeof field['value'] === 'string',
    ) &&
    isRecord(content) &&
    (content['text'] === undefined || typeof content['text'] === 'string') &&
    (own === undefined || isExtra(own))
  );
}

function isExtra(value: unknown): value is HarExtra {
  if (!isRecord(value)) return false;
  const { key, finalUrl, tags, variant } = value;
  return (
    typeof key === 'string' &&
    (finalUrl === undefined || (typeof finalUrl === 'string' && URL.canParse(finalUrl))) &&
    Array.isArray(tags) &&
    tags.every((tag) => typeof tag === 'string') &&
    (variant === undefined || isVariant(variant))
  );
}

function isVariant(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { names, family, digest } = value;
  return (
    Array.isArray(names) &&
    names.every((name) => typeof name === 'string') &&
    typeof family === 'string' &&
    typeof digest === 'string'
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
