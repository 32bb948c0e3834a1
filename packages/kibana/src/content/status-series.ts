import { count } from '../lens/column.js';
import type { Column } from '../lens/column.js';
import { EXCHANGE, all } from './queries.js';

/**
 * One column for each status class, so that each keeps its colour whatever the others do: Kibana 8.12 colours a split
 * by rank. Redirects that were followed are not seen; a 304 is.
 */
export const STATUS_SERIES: Readonly<Record<'none' | 's2xx' | 's3xx' | 's4xx' | 's5xx', Column>> = {
  s2xx: count('2xx', 'http.response.status_code < 300'),
  s3xx: count('3xx', 'http.response.status_code >= 300 and http.response.status_code < 400'),
  s4xx: count('4xx', 'http.response.status_code >= 400 and http.response.status_code < 500'),
  s5xx: count('5xx', 'http.response.status_code >= 500'),
  none: count('no response', all(EXCHANGE, 'not http.response.status_code: *')),
};

export const STATUS_IDS = ['s2xx', 's3xx', 's4xx', 's5xx', 'none'] as const;
