import { isUtf8 } from 'node:buffer';
import type { CacheEntry } from './cache-store.js';

/** One entry as a person reads it in Kibana; the index template maps these fields. */
export interface CacheDocument {
  readonly stored_at: string;
  readonly expires_at: string;
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
  /** The body in base64 where it is not. */
  readonly body?: string;
}

export function toDocument(entry: CacheEntry): CacheDocument {
  const { body, finalUrl } = entry;
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const text = isUtf8(bytes);
  return {
    stored_at: new Date(entry.storedAtMs).toISOString(),
    expires_at: new Date(entry.expiresAtMs).toISOString(),
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
  };
}

/** The entry, or undefined where the document is not one that `toDocument` made. */
export function fromDocument(document: unknown): CacheEntry | undefined {
  if (!isRecord(document) || !isRecord(document['response'])) return undefined;
  const { method, url, status, bytes, stored_at, expires_at, response } = document;
  const { http_version: httpVersion, status_text: statusText, headers, url: finalUrl } = response;
  const storedAtMs = Date.parse(String(stored_at));
  const expiresAtMs = Date.parse(String(expires_at));
  const body = bodyOf(response['text'], document['body']);
  if (
    typeof method !== 'string' ||
    typeof url !== 'string' ||
    typeof status !== 'number' ||
    typeof httpVersion !== 'string' ||
    typeof statusText !== 'string' ||
    (finalUrl !== undefined && typeof finalUrl !== 'string') ||
    !isHeaderList(headers) ||
    Number.isNaN(storedAtMs) ||
    Number.isNaN(expiresAtMs) ||
    body === undefined ||
    body.byteLength !== bytes
  ) {
    return undefined;
  }
  return { method, url, finalUrl, httpVersion, status, statusText, headers, body, storedAtMs, expiresAtMs };
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

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
