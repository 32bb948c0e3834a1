import { createHash } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';

/** A Lua script with the SHA1 by which Redis knows it. */
interface RedisScript {
  readonly source: string;
  readonly sha1: string;
}

/*
 * KEYS[1] is BASE:meta, with whatever prefix the client gives its keys; all keys have the hash tag of BASE, so that a
 * Cluster keeps them in one place. An entry:
 *
 * BASE:e:KEY     the entry, as record.ts writes it; Redis lets it expire
 * BASE:meta      a hash: KEY to what is known of it without reading it, JSON: b (bytes), u (url), m (method), t (tags),
 *                x (expiresAtMs), f (fence), i (its place by url), k (its places by tag)
 * BASE:lru       a sorted set: KEY by its last use
 * BASE:exp       a sorted set: KEY by when it expires, in ms of the server's clock
 * BASE:urls      a sorted set in the order of its members: the beginning of the url, NUL, KEY
 * BASE:tag:TAG   a set of KEYs
 * BASE:totals    a hash: bytes, and uses so far
 * BASE:l:KEY     a lease: held:TOKEN, and for a moment after that stored:TOKEN or fruitless:TOKEN
 * BASE:token     the newest token
 */
const COMMON = `
local BASE = string.sub(KEYS[1], 1, -6)
local META, LRU, EXP, URLS, TOTALS = BASE .. ':meta', BASE .. ':lru', BASE .. ':exp', BASE .. ':urls', BASE .. ':totals'

local function drop(key)
  local packed = redis.call('HGET', META, key)
  if not packed then return 0 end
  local meta = cjson.decode(packed)
  redis.call('HDEL', META, key)
  redis.call('DEL', BASE .. ':e:' .. key)
  redis.call('ZREM', LRU, key)
  redis.call('ZREM', EXP, key)
  redis.call('ZREM', URLS, meta.i .. '\\0' .. key)
  for _, tag in ipairs(meta.k) do redis.call('SREM', BASE .. ':tag:' .. tag, key) end
  redis.call('HINCRBY', TOTALS, 'bytes', -meta.b)
  return 1
end

local function used(key)
  redis.call('ZADD', LRU, redis.call('HINCRBY', TOTALS, 'uses', 1), key)
end

local function touch(keys)
  for _, key in ipairs(cjson.decode(keys)) do
    if redis.call('HEXISTS', META, key) == 1 then used(key) end
  end
end

local function leaseOf(key)
  local state, token = string.match(redis.call('GET', BASE .. ':l:' .. key) or '', '^(%l+):(%d+)$')
  return state, tonumber(token)
end
`;

/** key, record, meta, lifetime in ms, bound in bytes, fence or '', who and where to tell, used keys → evicted, or -1 where the fence is overtaken. */
export const SET: RedisScript = script(`${COMMON}
local key, record, packed, px, bound = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
if ARGV[6] ~= '' then
  local _, token = leaseOf(key)
  local there = redis.call('HGET', META, key)
  local newest = math.max(token or 0, there and cjson.decode(there).f or 0)
  if newest > tonumber(ARGV[6]) then return -1 end
end
touch(ARGV[9])
drop(key)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, expired in ipairs(redis.call('ZRANGEBYSCORE', EXP, '-inf', now, 'LIMIT', 0, 20)) do drop(expired) end
local meta = cjson.decode(packed)
local evicted = 0
if px > 0 and meta.b <= bound then
  while tonumber(redis.call('HGET', TOTALS, 'bytes') or 0) > bound - meta.b do
    local oldest = redis.call('ZRANGE', LRU, 0, 0)[1]
    if not oldest then break end
    evicted = evicted + drop(oldest)
  end
  redis.call('SET', BASE .. ':e:' .. key, record, 'PX', px)
  redis.call('HSET', META, key, packed)
  redis.call('ZADD', EXP, now + px, key)
  redis.call('ZADD', URLS, 0, meta.i .. '\\0' .. key)
  redis.call('HINCRBY', TOTALS, 'bytes', meta.b)
  used(key)
  local lists = { META, LRU, EXP, URLS, TOTALS }
  for _, tag in ipairs(meta.k) do
    redis.call('SADD', BASE .. ':tag:' .. tag, key)
    lists[#lists + 1] = BASE .. ':tag:' .. tag
  end
  for _, list in ipairs(lists) do
    if redis.call('PTTL', list) < px then redis.call('PEXPIRE', list, px) end
  end
end
redis.call('PUBLISH', ARGV[8], ARGV[7] .. ' ' .. key)
return evicted
`);

/** who and where to tell, keys as JSON → how many there were. */
export const REMOVE: RedisScript = script(`${COMMON}
local count = 0
for _, key in ipairs(cjson.decode(ARGV[3])) do
  count = count + drop(key)
  redis.call('PUBLISH', ARGV[2], ARGV[1] .. ' ' .. key)
end
return count
`);

/** used keys. */
export const TOUCH: RedisScript = script(`${COMMON}
touch(ARGV[1])
return 1
`);

/** key, lifetime in ms, whether the caller waited → held; or landed and how; or taken, token, whether somebody landed a moment ago. */
export const TAKE: RedisScript = script(`${COMMON}
local state = leaseOf(ARGV[1])
if state == 'held' then return { 'held' } end
if state and ARGV[3] == '1' then return { 'landed', state } end
local token = string.format('%.0f', redis.call('INCR', BASE .. ':token'))
redis.call('SET', BASE .. ':l:' .. ARGV[1], 'held:' .. token, 'PX', ARGV[2])
return { 'taken', token, state and '1' or '0' }
`);

/** key, token, lifetime in ms → 1 where it is still held. */
export const RENEW: RedisScript = script(`${COMMON}
local state, token = leaseOf(ARGV[1])
if state ~= 'held' or token ~= tonumber(ARGV[2]) then return 0 end
return redis.call('PEXPIRE', BASE .. ':l:' .. ARGV[1], ARGV[3])
`);

/** key, token, landing, for how long it is told in ms. */
export const RELEASE: RedisScript = script(`${COMMON}
local name = BASE .. ':l:' .. ARGV[1]
local state, token = leaseOf(ARGV[1])
if state ~= 'held' or token ~= tonumber(ARGV[2]) then return 0 end
if ARGV[3] == 'left' then return redis.call('DEL', name) end
redis.call('SET', name, ARGV[3] .. ':' .. ARGV[2], 'PX', ARGV[4])
return 1
`);

/** Runs the script by its SHA1, and sends its text where Redis does not know it yet. */
export async function run(
  client: Redis | Cluster,
  { sha1, source }: RedisScript,
  base: string,
  args: readonly (Buffer | number | string)[],
): Promise<unknown> {
  const all = [`${base}:meta`, ...args] as const;
  try {
    return await client.evalsha(sha1, 1, ...all);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
    return client.eval(source, 1, ...all);
  }
}

function script(source: string): RedisScript {
  return { source, sha1: createHash('sha1').update(source).digest('hex') };
}
