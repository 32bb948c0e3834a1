import { createHash } from 'node:crypto';
import { CHOICE } from './redis-lua/choice.js';
import { ENROL } from './redis-lua/enrol.js';
import { HEAD, withNumbers } from './redis-lua/fields.js';
import { NODES, UNPACKING } from './redis-lua/nodes.js';
import { ORDER } from './redis-lua/order.js';
import { PLAIN } from './redis-lua/plain.js';
import { OTHERS, TAKE } from './redis-lua/verbs.js';
import { CORRECTIONS, WINDOWS } from './redis-lua/windows.js';

/** A Lua script with the SHA1 by which Redis knows it. */
export interface RedisScript {
  readonly source: string;
  readonly sha1: string;
}

/**
 * The ledger (pool/ledger.ts) in Lua: the same verbs over the same windows and orders, held to them by the contract suite
 * and by the property tests. A function of Lua is made anew at every run, so the plain case stands first, what a take needs
 * otherwise after it, and the rest only where it is wanted.
 *
 * KEYS: the head, then nodes, ready and waking of each section. ARGV: the pool, and the verbs to apply to it in their
 * order, as JSON; a number is a take of that cost; then the stamp of each section.
 *
 * Gives, as JSON (an array of Redis's own would be written to the socket piece by piece), one answer for each verb:
 * `{ 'granted', take, section… }` with, for each section, `{ total, extra, id, arrivalMattersFrom or -1, used, resets, batch… }`,
 * the windows being those of the meter and then of its account, `extra` to be added to each `used`, and at its end
 * `{ node, window, batch… }` where other windows are kept; or
 * `{ 'refused', section, retryAt or -1 }`; or `{ 'done' }`. Or, with nothing applied, `{ 'enrol', section… }` where Redis
 * has sections indexed otherwise or not yet, and `{ 'calendar', now }` where the calendars are of another time.
 */
export const APPLY: RedisScript = script(`
local time = redis.call('TIME')
local clock = time[1] * 1000 + math.floor(time[2] / 1000)
local packedHead, verbs = redis.call('HGET', KEYS[1], 'head'), cjson.decode(ARGV[2])
${PLAIN}
local plain = packedHead and plainly()
if plain then return plain end

local pool = cjson.decode(ARGV[1])
local sections, calendars, glimpse = pool.sections, pool.calendars, #verbs
local head = { takes = 0, now = 0, key = { stamp = '', quiet = NEVER, till = 0 }, proxy = { stamp = '', quiet = NEVER, till = 0 } }
if packedHead then
  local key, proxy = head.key, head.proxy
  head.takes, head.now, key.quiet, key.till, proxy.quiet, proxy.till, key.stamp, proxy.stamp = struct.unpack('${HEAD}', packedHead)
end

local now, isSetBack = clock, false
if head.now > clock then
  local longest = 3600000
  for _, section in ipairs(sections) do longest = math.max(longest, section.longestMs) end
  isSetBack = head.now - clock > longest
  if not isSetBack then now = head.now end
end
for _, calendar in pairs(calendars) do
  if now < calendar[1] or now >= calendar[2] then return cjson.encode({ 'calendar', now }) end
end
local strange = {}
for n, section in ipairs(sections) do
  if isSetBack or head[section.kind].stamp ~= section.stamp then strange[#strange + 1] = n - 1 end
end
for _, n in ipairs(strange) do
  if not sections[n + 1].nodes then return cjson.encode({ 'enrol', unpack(strange) }) end
end
${WINDOWS}${ORDER}${UNPACKING}${NODES}${CHOICE}
local shelves = {}
for n, section in ipairs(sections) do
  shelves[n] = shelfOf(head[section.kind], KEYS[3 * n - 1], KEYS[3 * n], KEYS[3 * n + 1])
end
if strange[1] then
  ${ENROL}
  if isSetBack then
    for _, kind in ipairs({ 'key', 'proxy' }) do
      local stem = string.sub(KEYS[1], 1, -5) .. kind
      setBack(shelfOf(head[kind], stem .. ':nodes', stem .. ':ready', stem .. ':waking'))
    end
  end
  for _, n in ipairs(strange) do enrol(shelves[n + 1], sections[n + 1]) end
end
head.now = now
${TAKE}
local apply, keepUntil, costOnly, answers = nil, 0, {}, {}
for n, op in ipairs(verbs) do
  if type(op) == 'number' then
    costOnly.cost = op
    answers[n] = take(costOnly)
  else
    if not apply then
      apply = { take = take }
      ${CORRECTIONS}${OTHERS}
    end
    answers[n] = apply[op.verb](op) or { 'done' }
  end
end

for _, order in pairs(orders) do
  if next(order.moved) then write(order) end
end
-- Expiry is moved at most once a day, so that it costs next to nothing.
local moved = false
for n, section in ipairs(sections) do
  local s = shelves[n]
  store(s)
  local till = math.max(now + section.keepMs, keepUntil)
  if till > s.head.till then
    s.head.till, moved = till + 86400000, true
    redis.call('PEXPIREAT', s.nodes, s.head.till)
    for _, group in ipairs(groupsOf(s)) do
      redis.call('PEXPIREAT', orderOf(s.ready, group).key, s.head.till)
      redis.call('PEXPIREAT', orderOf(s.waking, group).key, s.head.till)
    end
  end
  s.head.quiet = math.min(s.head.quiet, s.head.till - section.keepMs)
end
local key, proxy = head.key, head.proxy
redis.call('HSET', KEYS[1], 'head',
  struct.pack('${HEAD}', head.takes, head.now, key.quiet, key.till, proxy.quiet, proxy.till, key.stamp, proxy.stamp))
if moved then redis.call('PEXPIREAT', KEYS[1], math.max(head.key.till, head.proxy.till)) end
return cjson.encode(answers)
`);

/**
 * KEYS as above, ARGV: node ids by section, as JSON. Gives `{ clock, now of the ledger, { node or false… } for each
 * section }`, a node being `{ total, last, rest, { window, its batches, each as five numbers }… }`; changes nothing.
 */
export const READ: RedisScript = script(`
local time = redis.call('TIME')
local head = redis.call('HGET', KEYS[1], 'head')
${UNPACKING}
local reply = { time[1] * 1000 + math.floor(time[2] / 1000), head and select(2, struct.unpack('${HEAD}', head)) or 0 }
for n, ids in ipairs(cjson.decode(ARGV[1])) do
  local found = {}
  for i, id in ipairs(ids) do
    local packed = redis.call('HGET', KEYS[3 * n - 1], id)
    local m = packed and nodeFrom(packed)
    found[i] = false
    if m then
      found[i] = { m[TOTAL], m[LAST], m[REST] }
      for _, w in ipairs(m[WINDOWS]) do table.insert(found[i], { w[NAME], unpack(w, FIRST) }) end
    end
  end
  reply[#reply + 1] = found
end
return reply
`);

function script(source: string): RedisScript {
  const inOneFunction = withNumbers(source);
  return { source: inOneFunction, sha1: createHash('sha1').update(inOneFunction).digest('hex') };
}
