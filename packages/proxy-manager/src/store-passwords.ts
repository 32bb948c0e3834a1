import type { ClientOptions as ElasticsearchOptions } from '@elastic/elasticsearch';
import type { RedisOptions } from 'ioredis';
import type { RedisClusterSettings } from './config/peers.js';
import { StoreError } from './errors.js';
import { elasticsearchUrls } from './store-address.js';
import type { UsageStore } from './usage/usage-store.js';

/** Writes `***` over the passwords of a store. */
export type Mask = (text: string) => string;

/** Shorter ones are part of ordinary words: masking them would garble more than it hides. */
const SHORTEST = 4;

export function redisMask(setting: string | RedisOptions | RedisClusterSettings): Mask {
  if (typeof setting === 'string') return maskOf(inRedisUrl(setting));
  if (!('nodes' in setting)) return maskOf([setting.password, setting.sentinelPassword]);
  const inNodes = setting.nodes.flatMap((node) =>
    typeof node === 'string'
      ? inRedisUrl(node)
      : typeof node === 'object' && 'password' in node
        ? [String(node.password)]
        : [],
  );
  return maskOf([setting.redisOptions?.password, ...inNodes]);
}

function inRedisUrl(setting: string): (string | null)[] {
  const full = setting.includes('://') ? setting : `redis://${setting.replace(/^\/\//, '')}`;
  if (!URL.canParse(full)) return [];
  const { searchParams } = new URL(full);
  // As ioredis does, which takes any option from there.
  return [...inUserinfo(full), searchParams.get('password'), searchParams.get('sentinelPassword')];
}

export function elasticsearchMask(setting: string | ElasticsearchOptions): Mask {
  const inUrls = elasticsearchUrls(setting).flatMap(inUserinfo);
  const auth = typeof setting === 'string' ? undefined : setting.auth;
  return maskOf([...inUrls, ...(auth ? inAuth(auth) : [])]);
}

/** The store with errors whose messages went through `mask`. */
export function withMaskedErrors(store: UsageStore, mask: Mask): UsageStore {
  const masked = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      if (error instanceof StoreError) maskError(error, mask);
      throw error;
    }
  };
  return {
    take: (demand) => masked(store.take(demand)),
    arrived: (ticket) => masked(store.arrived(ticket)),
    giveBack: (ticket) => masked(store.giveBack(ticket)),
    rest: (pool, id, untilMs) => masked(store.rest(pool, id, untilMs)),
    read: (pool) => masked(store.read(pool)),
    learn: (pool, id, limits) => masked(store.learn(pool, id, limits)),
    note: (book, id, event) => masked(store.note(book, id, event)),
    standings: (book) => masked(store.standings(book)),
    close: () => store.close(),
  };
}

/** In place: the error and its cause were made for this one failure. */
export function maskError(error: Error, mask: Mask): void {
  error.message = mask(error.message);
  if (error.stack !== undefined) error.stack = mask(error.stack);
  if (error.cause instanceof Error) maskError(error.cause, mask);
}

function inUserinfo(url: string): string[] {
  if (!URL.canParse(url)) return [];
  const { username, password } = new URL(url);
  return password === '' ? [] : inBasic(decodeURIComponent(username), decodeURIComponent(password));
}

/** The password, and as the header of basic authentication holds it. */
function inBasic(username: string, password: string): string[] {
  return [password, Buffer.from(`${username}:${password}`).toString('base64')];
}

function inAuth(auth: NonNullable<ElasticsearchOptions['auth']>): string[] {
  if ('bearer' in auth) return [auth.bearer];
  if ('username' in auth) return inBasic(auth.username, auth.password);
  const { apiKey } = auth;
  return typeof apiKey === 'string' ? [apiKey] : inBasic(apiKey.id, apiKey.api_key);
}

function maskOf(passwords: readonly (string | null | undefined)[]): Mask {
  const known = passwords.filter((password): password is string => (password?.length ?? 0) >= SHORTEST);
  if (known.length === 0) return (text) => text;
  // The longest first: one may be part of another.
  const forms = known
    .flatMap((password) => [password, encodeURIComponent(password), JSON.stringify(password).slice(1, -1)])
    .toSorted((one, other) => other.length - one.length);
  const pattern = new RegExp(forms.map((form) => form.replaceAll(/[$()*+./?[\\\]^{|}-]/g, '\\$&')).join('|'), 'gi');
  return (text) => text.replaceAll(pattern, '***');
}
