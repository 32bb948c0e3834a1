import type { Step } from '../lens/palette.js';

const GREEN = '#54B399';
const BLUE = '#6092C0';
const YELLOW = '#D6BF57';
const ORANGE = '#DA8B45';
const RED = '#E7664C';
const PURPLE = '#9170B8';
const PINK = '#D36086';
const BROWN = '#AA6556';
const SAND = '#B9A888';
const GREY = '#98A2B3';

type Colors<Name extends string> = Readonly<Record<Name, string>>;

export type Verdict = 'blocked' | 'down' | 'good' | 'proxy-dead' | 'refused' | 'spent' | 'throttled';

/** One colour for one meaning, on every dashboard. */
export const STATUS_COLORS: Colors<'none' | 's2xx' | 's3xx' | 's4xx' | 's5xx'> = {
  s2xx: GREEN,
  s3xx: BLUE,
  s4xx: YELLOW,
  s5xx: RED,
  none: PURPLE,
};

export const CACHE_COLORS: Colors<'bypass' | 'hit' | 'miss' | 'revalidated' | 'stale'> = {
  hit: GREEN,
  revalidated: BLUE,
  stale: YELLOW,
  miss: SAND,
  bypass: GREY,
};

export const VERDICT_COLORS: Colors<Verdict> = {
  good: GREEN,
  throttled: YELLOW,
  spent: ORANGE,
  refused: BROWN,
  blocked: PINK,
  'proxy-dead': PURPLE,
  down: RED,
};

export const TIME_COLORS: Colors<'p50' | 'p95' | 'p99'> = { p50: GREEN, p95: YELLOW, p99: RED };

export const TRAFFIC_COLORS: Colors<'received' | 'saved' | 'sent'> = { received: BLUE, sent: ORANGE, saved: GREEN };

export const COUNT_COLOR: string = BLUE;
export const BAD_COLOR: string = RED;
export const WARN_COLOR: string = YELLOW;

const LIGHT_RED = '#F5A99B';
const LIGHT_YELLOW = '#F5E2A4';
const LIGHT_GREEN = '#B6E0D1';

/** A share that should be near 1. */
export const SHARE_OF_SUCCESS: readonly Step[] = [
  { from: 0, color: LIGHT_RED },
  { from: 0.8, color: LIGHT_YELLOW },
  { from: 0.95, color: LIGHT_GREEN },
];

/** A share that is better small: of a limit that is used up, of attempts that failed. */
export const SHARE_OF_LIMIT: readonly Step[] = [
  { from: 0, color: LIGHT_GREEN },
  { from: 0.8, color: LIGHT_YELLOW },
  { from: 0.95, color: LIGHT_RED },
];

export const SHARE_OF_FAILURE: readonly Step[] = [
  { from: 0, color: LIGHT_GREEN },
  { from: 0.05, color: LIGHT_YELLOW },
  { from: 0.2, color: LIGHT_RED },
];

/** What should not happen at all. */
export const ANY_IS_BAD: readonly Step[] = [
  { from: 0, color: LIGHT_GREEN },
  { from: 1, color: LIGHT_RED },
];
