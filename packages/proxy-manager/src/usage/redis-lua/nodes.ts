import { RECORD } from './fields.js';

/**
 * The records of a section, in Lua. A node is `{ total, last, rest, member, group, isReady, wake, windows }`, wake 0 where
 * there is none; `member` is its position and its id. A shelf is the keys of a section: nodes, a hash; ready, an order by
 * `uses * 2^32 + lastTake`; waking, an order by wake time. The orders of an account's meters are kept beside those, with
 * the account's id in their names. Needs windows.ts and order.ts.
 */
export const NODES: string = `
local function shelfOf(sectionHead, nodes, ready, waking)
  return { head = sectionHead, nodes = nodes, ready = ready, waking = waking, known = {}, changed = {} }
end

local function get(s, id)
  local m = s.known[id]
  if m then return m end
  local packed = redis.call('HGET', s.nodes, id)
  if not packed then return nil end
  m = nodeFrom(packed)
  m.id = id
  local windows = m[WINDOWS]
  for i = 1, #windows do bringUpToDate(windows[i]) end
  s.known[id] = m
  return m
end

local function isAccount(id) return string.byte(id) == 97 end

local function place(s, m)
  s.changed[m.id] = m
  local ready, stale, uses, unlimited = m[REST], NEVER, 0, true
  local windows, group = m[WINDOWS], m[GROUP]
  for i = 1, #windows do
    local w = windows[i]
    if w[LIMIT] >= 0 then
      unlimited = false
      local at, first = fitsAt(w, 1), w[BATCHES][1]
      if at > ready then ready = at end
      if w[SUM] > uses then uses = w[SUM] end
      if first and first[ENDS] < stale then stale = first[ENDS] end
    end
  end
  if unlimited then uses = m[TOTAL] end
  if isAccount(m.id) then
    local _, waking = nth(orderOf(s.waking, m.id), 1)
    waking = waking or NEVER
    if not nth(orderOf(s.ready, m.id), 1) then ready = math.max(ready, waking) end
    stale = math.min(stale, waking)
  end

  local isReady = ready <= now
  if isReady then
    put(orderOf(s.ready, group), m[MEMBER], uses * 4294967296 + m[LAST] % 4294967296)
  elseif m[READY] then
    put(orderOf(s.ready, group), m[MEMBER], false)
  end
  local wake = isReady and stale or ready
  if wake == NEVER then wake = 0 end
  if wake ~= m[WAKE] then put(orderOf(s.waking, group), m[MEMBER], wake ~= 0 and wake) end
  m[READY], m[WAKE] = isReady, wake
  if group == '' and wake ~= 0 and wake < s.head.quiet then s.head.quiet = wake end
end

-- As fields.ts says; what counts in an account, or in windows that no present limit names, is never plain.
local function recordOf(m)
  local uses, room, steady, matters, unlimited, text = 0, NEVER, NEVER, NEVER, true, ''
  local windows = m[WINDOWS]
  if m[GROUP] ~= '' or isAccount(m.id) then steady = 0 end
  for i = 1, #windows do
    local w = windows[i]
    local batches = w[BATCHES]
    local first, last = batches[1], batches[#batches]
    unlimited = unlimited and w[LIMIT] < 0
    if w[LIMIT] >= 0 and first then
      uses, room = math.max(uses, w[SUM]), math.min(room, w[LIMIT] - w[SUM])
      matters = math.min(matters, mattersFrom(w, last, -1))
      steady = math.min(steady, first[ENDS], joinedUntil(w, last))
      text = text .. ',' .. w[SUM] .. ',' .. first[ENDS] .. ',' .. last[ID]
    else
      steady = 0
    end
  end
  if unlimited then uses = m[TOTAL] end
  text = steady > now and cjson.encode(string.sub(m.id, 2)) .. ',' .. (matters == NEVER and -1 or matters) .. text or ''
  local id = m.id
  m.id = nil
  local record = struct.pack('${RECORD}', m[TOTAL], m[LAST], 0, uses, room, steady, text) .. cmsgpack.pack(m)
  m.id = id
  return record
end

local function store(s)
  local fields = { 'HSET', s.nodes }
  for id, m in pairs(s.changed) do
    fields[#fields + 1] = id
    fields[#fields + 1] = recordOf(m)
    if #fields > 200 then
      redis.call(unpack(fields))
      fields = { 'HSET', s.nodes }
    end
  end
  if #fields > 2 then redis.call(unpack(fields)) end
  s.changed = {}
end

-- The meter, and after it its account.
local function path(s, meterId)
  local m = get(s, 'm' .. meterId)
  if not m then return {} end
  if m[GROUP] == '' then return { m } end
  return { m, get(s, m[GROUP]) }
end

local function groupsOf(s)
  local groups = { '' }
  for _, id in ipairs(redis.call('HKEYS', s.nodes)) do
    if isAccount(id) then groups[#groups + 1] = id end
  end
  return groups
end
`;

/** Unpacks a node. */
export const UNPACKING: string = `
local function nodeFrom(packed)
  local total, last, extra, _, _, _, _, at = struct.unpack('${RECORD}', packed)
  local _, m = cmsgpack.unpack_one(packed, at - 1)
  m[TOTAL], m[LAST] = total, last
  if extra == 0 then return m end
  for _, w in ipairs(m[WINDOWS]) do
    local latest = w[BATCHES][#w[BATCHES]]
    latest[USED] = latest[USED] + extra
  end
  return m
end
`;
