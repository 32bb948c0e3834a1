import type { AxiosRequestConfig } from 'axios';
import { wholeAxios } from './axios-core.js';

type Parts = Pick<AxiosRequestConfig, 'allowAbsoluteUrls' | 'baseURL' | 'params' | 'paramsSerializer'> & {
  readonly url?: string | URL;
};

const ABSOLUTE = /^(?:[a-z][a-z\d+\-.]*:)?\/\//i;
/** What axios refuses, in words of its own. */
const MALFORMED = /^\s*https?:(?!\/\/)/i;
/** Others say to axios how lists and objects are written. */
const PLAIN_NAME = /^[\w-]+$/;

/**
 * The url that axios makes of `baseURL`, `url` and `params`. What most calls say is put together here, everything else
 * by axios itself, which takes long to load.
 */
export function uriOf({ allowAbsoluteUrls = true, baseURL = '', params, paramsSerializer, ...rest }: Parts): string {
  const url = String(rest.url ?? '');
  const query = paramsSerializer === undefined ? plainQuery(params) : undefined;
  if (query === undefined || !allowAbsoluteUrls || MALFORMED.test(url) || MALFORMED.test(baseURL)) {
    return wholeAxios().getUri({
      allowAbsoluteUrls,
      baseURL,
      url,
      params: params as unknown,
      ...(paramsSerializer === undefined ? {} : { paramsSerializer }),
    });
  }
  const full = baseURL === '' || ABSOLUTE.test(url) ? url : combined(baseURL, url);
  if (query === '') return full;
  const bare = full.split('#', 1)[0] ?? '';
  return `${bare}${bare.includes('?') ? '&' : '?'}${query}`;
}

function combined(base: string, relative: string): string {
  return relative === '' ? base : `${base.replace(/\/+$/, '')}/${relative.replace(/^\/+/, '')}`;
}

/** Undefined for what is not text, numbers and truth values under plain names. */
function plainQuery(params: unknown): string | undefined {
  if (params === undefined || params === null) return '';
  if (params instanceof URLSearchParams) return params.toString();
  if (typeof params !== 'object' || Object.getPrototypeOf(params) !== Object.prototype) return undefined;
  const pairs: string[] = [];
  for (const [name, value] of Object.entries(params) as [string, unknown][]) {
    if (value === undefined || value === null) continue;
    const isPlain = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
    if (!isPlain || !PLAIN_NAME.test(name)) return undefined;
    pairs.push(`${name}=${encoded(String(value))}`);
  }
  return pairs.join('&');
}

/** As axios leaves them readable. */
function encoded(value: string): string {
  return encodeURIComponent(value)
    .replaceAll('%3A', ':')
    .replaceAll('%24', '$')
    .replaceAll('%2C', ',')
    .replaceAll('%20', '+');
}
