/**
 * pool/orders.ts in Lua. Needs what redis-lua/windows.ts gives, and `head`: `{ takes, now, key, proxy }`, the last two
 * `{ stamp, quiet, till }`, `till` being when the keys of that kind expire.
 *
 * KEYS: the head, then for keys and for proxies: nodes, a hash; ready, a sorted set by `uses * 2^32 + lastTake`, its
 * members being position and id; waking, the same by wake time. The orders of an account's meters are kept beside those,
 * with the account's id in their names. Each order ends with a member '', so that no key comes and goes, and with it its expiry.
 *
 * A node is `{ total, last, rest, member, group, isReady, wake, windows }`, wake 0 where there is none.
 */
export const ORDERS = `
local TOTAL, LAST, REST, MEMBER, GROUP, READY, WAKE, WINDOW = 1, 2, 3, 4, 5, 6, 7, 8
local DUE_AT_ONCE = 32

local function shelfOf(kind)
  local first = kind == 'key' and 2 or 5
  return { kind = kind, nodes = KEYS[first], ready = KEYS[first + 1], waking = KEYS[first + 2],
           head = head[kind], known = {}, changed = {} }
end

local function orderOf(key, group) return group == '' and key or key .. ':' .. group end

local function get(s, id)
  local m = s.known[id]
  if m then return m end
  local packed = redis.call('HGET', s.nodes, id)
  if not packed then return nil end
  m = cmsgpack.unpack(packed)
  m.id = id
  for _, w in ipairs(m[WINDOW]) do bringUpToDate(w) end
  s.known[id] = m
  return m
end

local function eachReady(s, group, visit)
  local key, from, size = orderOf(s.ready, group), 0, 1
  while true do
    local found = redis.call('ZRANGE', key, from, from + size - 1)
    for i = 1, #found do
      if found[i] == '' or visit(string.sub(found[i], 9)) then return end
    end
    if #found < size then return end
    from, size = from + size, 16
  end
end

local function eachWaking(s, group, visit)
  local key, from, size = orderOf(s.waking, group), 0, 1
  while true do
    local found = redis.call('ZRANGE', key, from, from + size - 1, 'WITHSCORES')
    for i = 1, #found, 2 do
      if found[i] == '' or visit(string.sub(found[i], 9), tonumber(found[i + 1])) then return end
    end
    if #found < 2 * size then return end
    from, size = from + size, 16
  end
end

local function isAccount(id) return string.sub(id, 1, 1) == 'a' end

local function readyAt(m, cost)
  local at = m[REST]
  for _, w in ipairs(m[WINDOW]) do
    if w[LIMIT] >= 0 then at = math.max(at, fitsAt(w, cost)) end
  end
  return at
end

local function firstWaking(s, group)
  local first = NEVER
  eachWaking(s, group, function(_, at)
    first = at
    return true
  end)
  return first
end

local function hasReady(s, group)
  local has = false
  eachReady(s, group, function()
    has = true
    return true
  end)
  return has
end

local function place(s, m)
  s.changed[m.id] = m
  local ready, stale, uses, unlimited = m[REST], NEVER, 0, true
  for _, w in ipairs(m[WINDOW]) do
    if w[LIMIT] >= 0 then
      unlimited = false
      ready = math.max(ready, fitsAt(w, 1))
      uses = math.max(uses, used(w))
      if w[BATCHES][1] then stale = math.min(stale, w[BATCHES][1][ENDS]) end
    end
  end
  if unlimited then uses = m[TOTAL] end
  if isAccount(m.id) then
    local waking = firstWaking(s, m.id)
    if not hasReady(s, m.id) then ready = math.max(ready, waking) end
    stale = math.min(stale, waking)
  end

  local isReady = ready <= now
  if isReady then
    redis.call('ZADD', orderOf(s.ready, m[GROUP]), uses * 4294967296 + m[LAST] % 4294967296, m[MEMBER])
  elseif m[READY] then
    redis.call('ZREM', orderOf(s.ready, m[GROUP]), m[MEMBER])
  end
  local wake = isReady and stale or ready
  if wake == NEVER then wake = 0 end
  if wake ~= m[WAKE] then
    if wake == 0 then
      redis.call('ZREM', orderOf(s.waking, m[GROUP]), m[MEMBER])
    else
      redis.call('ZADD', orderOf(s.waking, m[GROUP]), wake, m[MEMBER])
    end
  end
  m[READY], m[WAKE] = isReady, wake
  if m[GROUP] == '' and wake ~= 0 then s.head.quiet = math.min(s.head.quiet, wake) end
end

local function groupsOf(s)
  local groups = { '' }
  for _, id in ipairs(redis.call('HKEYS', s.nodes)) do
    if isAccount(id) then groups[#groups + 1] = id end
  end
  return groups
end

local function store(s)
  local fields = {}
  for id, m in pairs(s.changed) do
    fields[#fields + 1] = id
    fields[#fields + 1] = cmsgpack.pack({ m[1], m[2], m[3], m[4], m[5], m[6], m[7], m[8] })
    if #fields >= 200 then
      redis.call('HSET', s.nodes, unpack(fields))
      fields = {}
    end
  end
  if #fields > 0 then redis.call('HSET', s.nodes, unpack(fields)) end
  s.changed = {}
end

local function clearPlaces(s)
  for _, group in ipairs(groupsOf(s)) do redis.call('DEL', orderOf(s.ready, group), orderOf(s.waking, group)) end
end

local function merge(windows, rules)
  local merged, named, open = {}, {}, {}
  for _, w in ipairs(windows) do open[w[NAME]] = w end
  for _, rule in ipairs(rules) do
    local w = { rule[1], rule[2], rule[3], rule[4], rule[5], rule[6], {} }
    if open[rule[1]] then w[BATCHES] = open[rule[1]][BATCHES] end
    merged[#merged + 1] = w
    named[rule[1]] = true
  end
  for name, w in pairs(open) do
    if not named[name] and #w[BATCHES] > 0 then
      w[LIMIT] = -1
      merged[#merged + 1] = w
    end
  end
  return merged
end

-- nodes: { id, group, position, number of its rules }, every meter of an account before the account.
local function enrol(s, stamp, nodes, rules)
  clearPlaces(s)
  s.head.stamp, s.head.quiet, s.head.till = stamp, NEVER, 0
  local groups = { '' }
  for _, spec in ipairs(nodes) do
    if isAccount(spec[1]) then groups[#groups + 1] = spec[1] end
  end
  for _, group in ipairs(groups) do
    redis.call('ZADD', orderOf(s.ready, group), '+inf', '')
    redis.call('ZADD', orderOf(s.waking, group), '+inf', '')
  end
  for _, spec in ipairs(nodes) do
    local id = spec[1]
    local m = get(s, id) or { 0, 0, 0, '', '', false, 0, {}, id = id }
    s.known[id] = m
    m[MEMBER], m[GROUP], m[READY], m[WAKE] = string.format('%08d', spec[3]) .. id, spec[2], false, 0
    m[WINDOW] = merge(m[WINDOW], rules[spec[4]])
    for _, w in ipairs(m[WINDOW]) do bringUpToDate(w) end
    place(s, m)
  end
end

local function wakeGroup(s, group)
  local due, nextAt = {}, NEVER
  eachWaking(s, group, function(id, at)
    if at <= now and #due < DUE_AT_ONCE then
      due[#due + 1] = id
      return false
    end
    nextAt = at
    return true
  end)
  if group == '' then s.head.quiet = nextAt end
  for _, id in ipairs(due) do
    if isAccount(id) then wakeGroup(s, id) end
    place(s, get(s, id))
  end
end

local function wake(s)
  if s.head.quiet <= now then wakeGroup(s, '') end
  return s.head.quiet > now
end

-- The meter, and after it its account.
local function path(s, meterId)
  local m = get(s, 'm' .. meterId)
  if not m then return {} end
  if m[GROUP] == '' then return { m } end
  return { m, get(s, m[GROUP]) }
end

local function readyFor(m, op)
  return math.max(readyAt(m, op.cost), op.resting and op.resting[m.id] or 0)
end

local function pathReadyFor(s, meterId, op)
  local at = NEVER
  for i, m in ipairs(path(s, meterId)) do at = math.max(i == 1 and 0 or at, readyFor(m, op)) end
  return at
end

local function nextFor(s, op)
  local chosen, avoided
  local function visit(id, account)
    local m = get(s, id)
    if readyFor(m, op) > now then return false end
    if isAccount(id) then
      eachReady(s, id, function(member) return visit(member, m) end)
    elseif op.avoid and op.avoid[id] then
      avoided = avoided or { m, account }
    else
      chosen = { m, account }
    end
    return chosen ~= nil
  end
  eachReady(s, '', function(id) return visit(id, nil) end)
  return chosen or avoided
end

local earliestMember

local function earliest(s, group, op)
  local best = NEVER
  eachWaking(s, group, function(id, at)
    if at >= best then return true end
    local ready = readyFor(get(s, id), op)
    if isAccount(id) then ready = math.max(ready, earliestMember(s, id, op)) end
    best = math.min(best, ready)
    return false
  end)
  return best
end

function earliestMember(s, account, op)
  local best = earliest(s, account, op)
  eachReady(s, account, function(id)
    if readyFor(get(s, id), op) <= now then best = -NEVER end
    return best == -NEVER
  end)
  return best
end

-- The path to use next, or nil and when there will be one.
local function choose(s, op, pin)
  if pin then
    local at = pathReadyFor(s, pin, op)
    if at <= now then return path(s, pin) end
    return nil, at
  end
  local chosen, done
  repeat
    done = wake(s)
    chosen = nextFor(s, op)
  until chosen or done
  if chosen then return chosen end
  local at = earliest(s, '', op)
  for id in pairs(op.resting or {}) do at = math.min(at, pathReadyFor(s, string.sub(id, 2), op)) end
  return nil, at
end
`;
