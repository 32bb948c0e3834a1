import { createHash } from 'node:crypto';
import { ORDERS } from './redis-lua/orders.js';
import { WINDOWS } from './redis-lua/windows.js';

/** A Lua script with the SHA1 by which Redis knows it. */
export interface RedisScript {
  readonly source: string;
  readonly sha1: string;
}

/**
 * The ledger (pool/ledger.ts) in Lua: the same verbs over the same windows and orders, held to them by the contract suite
 * and by the property tests. ARGV: the pool and the verbs to apply to it in their order, as JSON.
 *
 * Gives, as JSON (an array of Redis's own would be written to the socket piece by piece), one answer for each verb:
 * `{ 'granted', now, take, arrivalMattersFrom or -1, section… }` with, for each section,
 * `{ id, total, restUntil, used, resets, batch… }`, the windows being those of the meter and then of its account, and at
 * its end `{ node, window, batch… }` where other windows are kept; or
 * `{ 'refused', section, retryAt or -1 }`; or `{ 'done' }`. Or, with nothing applied, `{ 'enrol', section… }` where Redis
 * has sections indexed otherwise or not yet, and `{ 'calendar', now }` where the calendars are of another time.
 */
export const APPLY: RedisScript = script(`
local NEVER = math.huge
local pool, verbs = cjson.decode(ARGV[1]), cjson.decode(ARGV[2])
local calendars = pool.calendars
local time = redis.call('TIME')
local clock = time[1] * 1000 + math.floor(time[2] / 1000)
local packedHead = redis.call('HGET', KEYS[1], 'head')
local head = packedHead and cmsgpack.unpack(packedHead)
local function noSection() return { stamp = '', quiet = NEVER, till = 0 } end
if not head then head = { takes = 0, now = 0, key = noSection(), proxy = noSection() } end

local longest = 3600000
for _, section in ipairs(pool.sections) do longest = math.max(longest, section.longestMs) end
local isSetBack = head.now - clock > longest
local now = isSetBack and clock or math.max(clock, head.now)
${WINDOWS}${ORDERS}
for _, calendar in pairs(calendars) do
  if now < calendar[1] or now >= calendar[2] then return cjson.encode({ 'calendar', now }) end
end
local strange = {}
for n, section in ipairs(pool.sections) do
  if (isSetBack or head[section.kind].stamp ~= section.stamp) and not section.nodes then strange[#strange + 1] = n - 1 end
end
if #strange > 0 then return cjson.encode({ 'enrol', unpack(strange) }) end

-- Brings the rests of all meters back, and leaves the orders to be made anew.
if isSetBack then
  for _, kind in ipairs({ 'key', 'proxy' }) do
    head[kind] = noSection()
    local s = shelfOf(kind)
    clearPlaces(s)
    for _, id in ipairs(redis.call('HKEYS', s.nodes)) do
      local m = get(s, id)
      if m[REST] > now then
        m[REST] = now + math.max(0, m[REST] - head.now)
        s.changed[id] = m
      end
    end
    store(s)
  end
end
head.now = now

local shelves = {}
for n, section in ipairs(pool.sections) do
  shelves[n] = shelfOf(section.kind)
  if shelves[n].head.stamp ~= section.stamp then enrol(shelves[n], section.stamp, section.nodes, section.rules) end
end

local apply = {}

function apply.take(op)
  local chosen, refused, retryAt = {}, nil, -1
  for n, s in ipairs(shelves) do
    local found, at = choose(s, op, op.pin and op.pin[n])
    chosen[n] = found
    if not found and at > retryAt then refused, retryAt = n - 1, at end
  end
  if refused then return { 'refused', refused, retryAt == NEVER and -1 or retryAt } end

  head.takes = head.takes + 1
  local matters, sections = NEVER, {}
  for n, found in ipairs(chosen) do
    local section, kept = { string.sub(found[1].id, 2), found[1][TOTAL] + op.cost, found[1][REST] }, nil
    local size = 3
    for step, m in ipairs(found) do
      m[TOTAL], m[LAST] = m[TOTAL] + op.cost, head.takes
      for _, w in ipairs(m[WINDOW]) do
        if w[LIMIT] >= 0 then
          local id = count(w, op.cost, head.takes)
          matters = math.min(matters, mattersFrom(w, id, head.takes))
          section[size + 1], section[size + 2], section[size + 3] = used(w), w[BATCHES][1][ENDS], id
          size = size + 3
        elseif #w[BATCHES] > 0 then
          -- No present limit names it: it is kept, and not opened anew.
          kept = kept or {}
          kept[#kept + 1], kept[#kept + 2], kept[#kept + 3] = step - 1, w[NAME], count(w, op.cost, head.takes)
        end
      end
      place(shelves[n], m)
    end
    section[size + 1] = kept
    sections[n] = section
  end
  return { 'granted', now, head.takes, matters == NEVER and -1 or matters, unpack(sections) }
end

-- op.counted: for each section the meter, and node by node the batches it was counted in, by window.
local function eachCounted(op, edit)
  for n, counted in ipairs(op.counted) do
    for step, m in ipairs(path(shelves[n], counted.id)) do
      for _, w in ipairs(m[WINDOW]) do edit(w, (counted.nodes[step] or {})[w[NAME]]) end
      if op.verb == 'giveBack' then m[TOTAL] = math.max(0, m[TOTAL] - op.cost) end
      place(shelves[n], m)
    end
  end
  return { 'done' }
end

function apply.giveBack(op)
  return eachCounted(op, function(w, batch) uncount(w, op.cost, op.take, batch) end)
end

function apply.arrived(op)
  head.takes = head.takes + 1
  return eachCounted(op, function(w, batch) arrive(w, op.cost, op.take, batch, head.takes) end)
end

local keepUntil = 0
function apply.rest(op)
  for _, s in ipairs(shelves) do
    for step, m in ipairs(path(s, op.id)) do
      if step == 1 then m[REST] = math.max(m[REST], op.untilMs) end
      place(s, m)
    end
  end
  keepUntil = math.max(keepUntil, op.untilMs)
  return { 'done' }
end

-- op.limits: name, limit, remaining and reset (or 0) of windows.
function apply.learn(op)
  head.takes = head.takes + 1
  for _, s in ipairs(shelves) do
    for _, m in ipairs(path(s, op.id)) do
      for _, w in ipairs(m[WINDOW]) do
        for _, told in ipairs(op.limits) do
          if w[NAME] == told[1] and w[LIMIT] == told[2] then
            learn(w, told[3], told[4], head.takes)
            break
          end
        end
      end
      place(s, m)
    end
  end
  return { 'done' }
end

local answers = {}
for n, op in ipairs(verbs) do answers[n] = apply[op.verb](op) end

-- Expiry is moved at most once a day, so that it costs next to nothing.
local DAY, moved = 86400000, false
for n, section in ipairs(pool.sections) do
  local s = shelves[n]
  store(s)
  local till = math.max(now + section.keepMs, keepUntil)
  if till > s.head.till then
    s.head.till, moved = till + DAY, true
    redis.call('PEXPIREAT', s.nodes, s.head.till)
    for _, group in ipairs(groupsOf(s)) do
      redis.call('PEXPIREAT', orderOf(s.ready, group), s.head.till)
      redis.call('PEXPIREAT', orderOf(s.waking, group), s.head.till)
    end
  end
end
redis.call('HSET', KEYS[1], 'head', cmsgpack.pack(head))
if moved then redis.call('PEXPIREAT', KEYS[1], math.max(head.key.till, head.proxy.till)) end
return cjson.encode(answers)
`);

/**
 * ARGV[1]: node ids by section, as JSON. Gives `{ clock, now of the ledger, { node or false… } for each section }`, a node
 * being `{ total, last, rest, { window, { batch… } }… }`; changes nothing.
 */
export const READ: RedisScript = script(`
local time = redis.call('TIME')
local head = redis.call('HGET', KEYS[1], 'head')
local reply = { time[1] * 1000 + math.floor(time[2] / 1000), head and cmsgpack.unpack(head).now or 0 }
for _, section in ipairs(cjson.decode(ARGV[1])) do
  local found = {}
  for i, id in ipairs(section.ids) do
    local packed = redis.call('HGET', KEYS[section.kind == 'key' and 2 or 5], id)
    local m = packed and cmsgpack.unpack(packed)
    found[i] = false
    if m then
      found[i] = { m[1], m[2], m[3] }
      for _, w in ipairs(m[8]) do table.insert(found[i], { w[1], w[7] }) end
    end
  end
  reply[#reply + 1] = found
end
return reply
`);

function script(source: string): RedisScript {
  return { source, sha1: createHash('sha1').update(source).digest('hex') };
}
