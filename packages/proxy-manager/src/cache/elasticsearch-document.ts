import { isUtf8 } from 'node:buffer';
import type { CacheEntry } from './cache-store.js';

/** One entry as a person reads it in Kibana; the index template maps these fields. */
export interface CacheDocument {
  readonly stored_at: string;
  readonly stale_at: string;
  readonly expires_at: string;
  /** At `stored_at`. */
  readonly age_ms: number;
  readonly tags?: readonly string[];
  readonly method: string;
  readonly host: string;
  readonly url: string;
  readonly status: number;
  /** Length of the decoded body. */
  readonly bytes: number;
  readonly response: {
    readonly http_version: string;
    readonly status_text: string;
    readonly headers: CacheEntry['headers'];
    readonly url?: string;
    /** The body where it is UTF-8. */
    readonly text?: string;
  };
  /** Set where replies to one request differ by its headers. */
  readonly variant?: CacheEntry['variant'];
  /** The body in base64 where it is not. */
  readonly body?: string;
}

export function toDocument(entry: CacheEntry): CacheDocument {
  const { body, finalUrl, tags, variant } = entry;
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const text = isUtf8(bytes);
  return {
    stored_at: new Date(entry.storedAtMs).toISOString(),
    stale_at: new Date(entry.staleAtMs).toISOString(),
    expires_at: new Date(entry.expiresAtMs).toISOString(),
    age_ms: entry.initialAgeMs,
    ...(tags.length === 0 ? {} : { tags }),
    method: entry.method,
    host: new URL(entry.url).hostname,
    url: entry.url,
    status: entry.status,
    bytes: bytes.byteLength,
    response: {
      http_version: entry.httpVersion,
      status_text: entry.statusText,
      headers: entry.headers,
      ...(finalUrl === undefined ? {} : { url: finalUrl }),
      ...(text ? { text: bytes.toString() } : {}),
    },
    ...(text ? {} : { body: bytes.toString('base64') }),
    ...(variant === undefined ? {} : { variant }),
  };
}

/** The entry, or undefined where the document is not one that `toDocument` made. */
export function fromDocument(document: unknown): CacheEntry | undefined {
  if (!isRecord(document) || !isRecord(document['response'])) return undefined;
  const { method, url, status, bytes, stored_at, stale_at, expires_at, response, variant, tags = [] } = document;
  const { http_version: httpVersion, status_text: statusText, headers, url: finalUrl } = response;
  const storedAtMs = Date.parse(String(stored_at));
  const staleAtMs = Date.parse(String(stale_at));
  const expiresAtMs = Date.parse(String(expires_at));
  const initialAgeMs = document['age_ms'];
  const body = bodyOf(response['text'], document['body']);
  if (
    typeof method !== 'string' ||
    typeof url !== 'string' ||
    typeof status !== 'number' ||
    typeof httpVersion !== 'string' ||
    typeof statusText !== 'string' ||
    typeof initialAgeMs !== 'number' ||
    (finalUrl !== undefined && typeof finalUrl !== 'string') ||
    (variant !== undefined && !isVariant(variant)) ||
    !isTexts(tags) ||
    !isHeaderList(headers) ||
    [storedAtMs, staleAtMs, expiresAtMs].some(Number.isNaN) ||
    body === undefined ||
    body.byteLength !== bytes
  ) {
    return undefined;
  }
  const asked = { method, url, finalUrl, variant, tags };
  return { ...asked, httpVersion, status, statusText, headers, body, storedAtMs, initialAgeMs, staleAtMs, expiresAtMs };
}

function bodyOf(text: unknown, base64: unknown): Buffer | undefined {
  if (typeof text === 'string') return Buffer.from(text);
  return typeof base64 === 'string' ? Buffer.from(base64, 'base64') : undefined;
}

function isHeaderList(value: unknown): value is CacheEntry['headers'] {
  return (
    Array.isArray(value) &&
    value.every(
      (field) => Array.isArray(field) && field.length === 2 && field.every((part) => typeof part === 'string'),
    )
  );
}

function isVariant(value: unknown): value is NonNullable<CacheEntry['variant']> {
  return (
    isRecord(value) &&
    typeof value['family'] === 'string' &&
    typeof value['digest'] === 'string' &&
    isTexts(value['names'])
  );
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((text) => typeof text === 'string');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
