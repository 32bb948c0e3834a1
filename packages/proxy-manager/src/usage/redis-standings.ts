import { createHash } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';
import type { Noted, Standing, StandingEvent } from '../pool/standing.js';
import { FORGOTTEN_MS } from '../pool/standing.js';

/*
 * `afterEvent` of pool/standing.ts in Lua, held to it by the contract suite. KEYS[1]: a hash, one field for each id:
 * strikes, until, held (0 or 1) and why, as words. The key is forgotten with the last of them.
 */
const SOURCE = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local id, event = ARGV[1], cjson.decode(ARGV[2])
local function int(x) return string.format('%.0f', x) end

local known
local packed = redis.call('HGET', KEYS[1], id)
if packed then
  local strikes, till, held, why = string.match(packed, '^(%d+) (%d+) (%d) (.*)$')
  known = { strikes = tonumber(strikes), till = tonumber(till), held = held == '1', why = why }
end
local forgotten = known and known.till + event.forgottenMs <= now
local changed = forgotten
if forgotten then known = nil end

local kind = event.kind
if kind == 'strike' then
  if known and known.till > now and not event.claimed then
    changed = event.untilMs ~= nil and event.untilMs > known.till
    if changed then known.till, known.why = event.untilMs, event.why end
  else
    local strikes = (known and known.strikes or 0) + 1
    local rung = event.ladderMs[math.min(strikes, #event.ladderMs)]
    known = { strikes = strikes, till = math.max(now, event.untilMs or now + rung), held = event.held, why = event.why }
    changed = true
  end
elseif known then
  if kind == 'clear' then
    known, changed = nil, true
  elseif kind == 'calm' and not known.held and known.till <= now then
    known.strikes, changed = math.floor(known.strikes / 2), true
    if known.strikes == 0 then known = nil end
  elseif kind == 'claim' and known.held and known.till <= now then
    known.till, changed = now + event.forMs, true
  elseif kind == 'back' and known.held then
    known.held, known.till, changed = false, now, true
  end
end

local after = known and table.concat({ int(known.strikes), int(known.till), known.held and 1 or 0, known.why }, ' ')
if changed then
  if after then
    redis.call('HSET', KEYS[1], id, after)
    if redis.call('PTTL', KEYS[1]) < known.till + event.forgottenMs - now then
      redis.call('PEXPIREAT', KEYS[1], int(known.till + event.forgottenMs))
    end
  else
    redis.call('HDEL', KEYS[1], id)
  end
end
return { after or false, changed and 1 or 0 }
`;
const SHA1 = createHash('sha1').update(SOURCE).digest('hex');

export async function noteInRedis(
  client: Cluster | Redis,
  { book, id }: { readonly book: string; readonly id: string },
  event: StandingEvent,
): Promise<Noted> {
  const args = [1, keyOf(book), id, JSON.stringify({ ...event, forgottenMs: FORGOTTEN_MS })] as const;
  const [after, changed] = (await client.evalsha(SHA1, ...args).catch((error: unknown) => {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
    return client.eval(SOURCE, ...args);
  })) as [string | null, number];
  return { standing: after === null ? undefined : parse(after), changed: changed === 1 };
}

export async function standingsInRedis(client: Cluster | Redis, book: string): Promise<ReadonlyMap<string, Standing>> {
  const fields = await client.hgetall(keyOf(book));
  return new Map(Object.entries(fields).map(([id, packed]) => [id, parse(packed)]));
}

function keyOf(book: string): string {
  return `{proxy-manager:standing:${encodeURIComponent(book)}}:v1`;
}

function parse(packed: string): Standing {
  const [, strikes, untilMs, held, why = ''] = /^(\d+) (\d+) (\d) (.*)$/s.exec(packed) ?? [];
  return { strikes: Number(strikes), untilMs: Number(untilMs), held: held === '1', why };
}
