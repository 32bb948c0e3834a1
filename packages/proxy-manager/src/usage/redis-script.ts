import { createHash } from 'node:crypto';

/** A Lua script with the SHA1 by which Redis knows it. */
export interface RedisScript {
  readonly source: string;
  readonly sha1: string;
}

/*
 * The ledger (pool/ledger.ts) in Lua: the same rule of choice over the same two orders, held to it by the contract suite.
 *
 * KEYS[1]: the head, a hash: `takes`, `now`; after the clock was far ahead and has been set right: how often (`setBack`),
 * and the last time from when (`from`) to when (`to`). Then three for each section:
 * - meters, a hash: `m` + id: the meter; `s`: the stamp by which it is indexed, with `setBack` at that time; `e`: when all three keys expire;
 * - ready, a sorted set in the order of its members: rank + id;
 * - waking, a sorted set: id by wake time.
 *
 * A meter is written as words: total, lastTake, restUntil, position, wakeAt or -, rank or -, then for each window
 * limit, every, openedAt, openedBy, used; the limit is -1 where the windows of the present stamp do not name it. Numbers go through %.0f, for tostring gives 14 digits at most.
 */
const LEDGER = `
local NEVER = math.huge
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local request = cjson.decode(ARGV[1])
local sections = request.sections

local head = redis.call('HMGET', KEYS[1], 'now', 'setBack', 'from', 'to')
local last, era, from, to = tonumber(head[1] or 0), head[2] or '', tonumber(head[3] or 0), tonumber(head[4] or 0)
local longest = 3600000
for _, section in ipairs(sections) do longest = math.max(longest, section.longestMs) end
local isSetBack = last - now > longest
if isSetBack then
  era, from, to = string.format('%.0f', tonumber(head[2] or 0) + 1), last, now
else
  now = math.max(now, last)
end

local function int(x) return string.format('%.0f', x) end

local function contains(list, wanted)
  for _, x in ipairs(list) do
    if x == wanted then return true end
  end
  return false
end

local function shelf(n)
  local first = 2 + (n - 1) * 3
  return { meters = KEYS[first], ready = KEYS[first + 1], waking = KEYS[first + 2] }
end

local function parse(id, packed)
  local f = {}
  for word in string.gmatch(packed, '%S+') do f[#f + 1] = word end
  local m = { id = id, total = tonumber(f[1]), last = tonumber(f[2]), rest = tonumber(f[3]), position = tonumber(f[4]),
              wake = f[5], rank = f[6], windows = {} }
  for i = 7, #f, 5 do
    local w = { limit = tonumber(f[i]), every = tonumber(f[i + 1]), opened = tonumber(f[i + 2]),
                by = tonumber(f[i + 3]), used = tonumber(f[i + 4]) }
    if w.by ~= 0 and now >= w.opened + w.every then w.opened, w.by, w.used = 0, 0, 0 end
    w.opened = math.min(w.opened, now)
    if w.by ~= 0 or w.limit >= 0 then m.windows[#m.windows + 1] = w end
  end
  return m
end

local function format(m)
  local f = { int(m.total), int(m.last), int(m.rest), int(m.position), m.wake, m.rank }
  for _, w in ipairs(m.windows) do
    for _, x in ipairs({ w.limit, w.every, w.opened, w.by, w.used }) do f[#f + 1] = int(x) end
  end
  return table.concat(f, ' ')
end

local function get(s, id)
  local packed = redis.call('HGET', s.meters, 'm' .. id)
  if packed then return parse(id, packed) end
end

local function readyAt(m, cost)
  local at = m.rest
  for _, w in ipairs(m.windows) do
    if w.limit >= 0 and w.used + cost > w.limit then
      at = math.max(at, cost > w.limit and NEVER or w.opened + w.every)
    end
  end
  return at
end

local function save(s, m)
  if m.rank ~= '-' then redis.call('ZREM', s.ready, m.rank .. m.id) end
  local at = readyAt(m, 1)
  local wake = NEVER
  m.rank = '-'
  if at > now then
    wake = at
  else
    local uses, unlimited = 0, true
    for _, w in ipairs(m.windows) do
      if w.limit >= 0 then unlimited = false end
      if w.limit >= 0 and w.by ~= 0 then
        uses = math.max(uses, w.used)
        wake = math.min(wake, w.opened + w.every)
      end
    end
    if unlimited then uses = m.total end
    m.rank = string.format('%016.0f%016.0f%08.0f:', uses, m.last, m.position)
    redis.call('ZADD', s.ready, 0, m.rank .. m.id)
  end
  if wake < NEVER then
    m.wake = int(wake)
    redis.call('ZADD', s.waking, m.wake, m.id)
  elseif m.wake ~= '-' then
    m.wake = '-'
    redis.call('ZREM', s.waking, m.id)
  end
  redis.call('HSET', s.meters, 'm' .. m.id, format(m))
end

local function enrol(s, stamp, meters)
  local before = redis.call('HGET', s.meters, 's')
  local sameEra = before and string.match(before, ':(.*)$') == era
  redis.call('DEL', s.ready, s.waking)
  for position, spec in ipairs(meters) do
    local known = get(s, spec[1])
    local m = { id = spec[1], total = 0, last = 0, rest = 0, position = position - 1, wake = '-', rank = '-', windows = {} }
    local open = {}
    if known then
      m.total, m.last, m.rest = known.total, known.last, known.rest
      if not sameEra and m.rest > to and era ~= '' then m.rest = to + math.max(0, m.rest - from) end
      for _, w in ipairs(known.windows) do
        if w.by ~= 0 then open[w.every] = open[w.every] or w end
      end
    end
    local named = {}
    for i, window in ipairs(spec[2]) do
      local w = open[window[2]] or { opened = 0, by = 0, used = 0 }
      m.windows[i] = { limit = window[1], every = window[2], opened = w.opened, by = w.by, used = w.used }
      named[window[2]] = true
    end
    for every, w in pairs(open) do
      if not named[every] then
        w.limit = -1
        m.windows[#m.windows + 1] = w
      end
    end
    save(s, m)
  end
  redis.call('HSET', s.meters, 's', stamp)
end

local function wake(s)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', s.waking, '-inf', int(now))) do
    local m = get(s, id)
    if m then save(s, m) else redis.call('ZREM', s.waking, id) end
  end
end

-- Brings every section up to now; gives the numbers of those that are indexed by another stamp and came without meters.
local enrolled = false
local function prepare(sections)
  local strange = {}
  if isSetBack then
    redis.call('HSET', KEYS[1], 'now', int(now), 'setBack', era, 'from', int(from), 'to', int(to))
  end
  for n, section in ipairs(sections) do
    local s = shelf(n)
    local stamp = section.stamp .. ':' .. era
    if redis.call('HGET', s.meters, 's') == stamp then
      wake(s)
    elseif section.meters then
      enrol(s, stamp, section.meters)
      enrolled = true
    else
      strange[#strange + 1] = n - 1
    end
  end
  return strange
end

local function keep(sections, atLeast)
  local head = tonumber(redis.call('HGET', KEYS[1], 'e') or 0)
  for n, section in ipairs(sections) do
    local s = shelf(n)
    local till = math.max(now + section.keepMs, atLeast, tonumber(redis.call('HGET', s.meters, 'e') or 0))
    head = math.max(head, till)
    redis.call('HSET', s.meters, 'e', int(till))
    for _, key in pairs(s) do redis.call('PEXPIREAT', key, int(till)) end
  end
  redis.call('HSET', KEYS[1], 'now', int(now), 'e', int(head))
  redis.call('PEXPIREAT', KEYS[1], int(head))
end
`;

const PREPARE = `
local strange = prepare(sections)
if #strange > 0 then return { 'enrol', strange } end
`;

/** `{ 'enrol', sections }`, `{ 'refused', section, retryAt }`, or `{ 'granted', now, [id, meter]… }`. */
export const TAKE: RedisScript = script(`${LEDGER}${PREPARE}
local avoid = {}
for _, id in ipairs(request.avoid) do avoid[id] = true end
local resting = {}
for _, pair in ipairs(request.resting) do resting[pair[1]] = pair[2] end

local function readyHere(m)
  return math.max(readyAt(m, request.cost), resting[m.id] or 0)
end

local function eachReady(s, visit)
  local from, chunk = 0, 16
  repeat
    local members = redis.call('ZRANGE', s.ready, from, from + chunk - 1)
    for _, member in ipairs(members) do
      if visit(string.sub(member, 42)) then return end
    end
    from = from + chunk
  until #members < chunk
end

local function choose(s, pin)
  if pin then
    local m = get(s, pin)
    return m and readyHere(m) <= now and m or nil
  end
  local chosen, avoided
  eachReady(s, function(id)
    local m = get(s, id)
    if not m or readyHere(m) > now then return false end
    if avoid[id] then
      avoided = avoided or m
      return false
    end
    chosen = m
    return true
  end)
  return chosen or avoided
end

local function earliest(s, pin)
  if pin then
    local m = get(s, pin)
    return m and readyHere(m) or NEVER
  end
  local best, from, chunk = NEVER, 0, 16
  for id in pairs(resting) do
    local m = get(s, id)
    if m then best = math.min(best, readyHere(m)) end
  end
  while true do
    local found = redis.call('ZRANGE', s.waking, from, from + chunk - 1, 'WITHSCORES')
    for i = 1, #found, 2 do
      if tonumber(found[i + 1]) >= best then return best end
      local m = get(s, found[i])
      if m then best = math.min(best, readyHere(m)) end
    end
    if #found < chunk * 2 then return best end
    from = from + chunk
  end
end

local chosen, refused, retryAt = {}, nil, -1
for n in ipairs(sections) do
  local pin = request.pin and request.pin[n]
  local m = choose(shelf(n), pin)
  if m then
    chosen[n] = m
  else
    local at = earliest(shelf(n), pin)
    if at > retryAt then refused, retryAt = n - 1, at end
  end
end
if refused then
  if enrolled then keep(sections, 0) end
  return { 'refused', refused, retryAt == NEVER and 'never' or int(retryAt) }
end

local take = redis.call('HINCRBY', KEYS[1], 'takes', 1)
local reply = { 'granted', int(now) }
for n, m in ipairs(chosen) do
  m.total, m.last = m.total + request.cost, take
  for _, w in ipairs(m.windows) do
    if w.by <= 0 then w.opened, w.by = now, take end
    w.used = w.used + request.cost
  end
  save(shelf(n), m)
  reply[#reply + 1] = { m.id, format(m) }
end
keep(sections, 0)
return reply
`);

/** `request.taken`: for each section the id, the number of the take, and those of the takes that opened its windows. */
export const GIVE_BACK: RedisScript = script(`${LEDGER}${PREPARE}
for n, taken in ipairs(request.taken) do
  local m = get(shelf(n), taken[1])
  if m then
    m.total = math.max(0, m.total - request.cost)
    for _, w in ipairs(m.windows) do
      if w.by ~= 0 and contains(taken[3], w.by) then
        w.used = w.used - request.cost
        if w.by == taken[2] then w.opened = now end
        if w.used <= 0 then w.opened, w.by, w.used = 0, 0, 0 end
      end
    end
    save(shelf(n), m)
  end
end
keep(sections, 0)
return { 'done' }
`);

/** `request.taken` as for `GIVE_BACK`. */
export const ARRIVED: RedisScript = script(`${LEDGER}${PREPARE}
for n, taken in ipairs(request.taken) do
  local m = get(shelf(n), taken[1])
  if m then
    for _, w in ipairs(m.windows) do
      if w.by == taken[2] then
        w.opened = now
      elseif w.by == 0 or not contains(taken[3], w.by) then
        if w.by == 0 then w.opened, w.by, w.used = now, -1, 0 end
        w.used = w.used + request.cost
      end
    end
    save(shelf(n), m)
  end
end
keep(sections, 0)
return { 'done' }
`);

export const REST: RedisScript = script(`${LEDGER}${PREPARE}
for n in ipairs(sections) do
  local m = get(shelf(n), request.id)
  if m then
    m.rest = math.max(m.rest, request.untilMs)
    save(shelf(n), m)
  end
end
keep(sections, request.untilMs + 1000)
return { 'done' }
`);

/** `{ now, [meter or false…]… }` for `request.ids`, one list per section; changes nothing. */
export const READ: RedisScript = script(`${LEDGER}
local reply = { int(now) }
for n, ids in ipairs(request.ids) do
  local found = {}
  for i, id in ipairs(ids) do found[i] = redis.call('HGET', shelf(n).meters, 'm' .. id) end
  reply[n + 1] = found
end
return reply
`);

function script(source: string): RedisScript {
  return { source, sha1: createHash('sha1').update(source).digest('hex') };
}
