import { NODE, RECORD } from './fields.js';

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
      local at, ends = fitsAt(w, 1), w[FIRST + ENDS]
      if at > ready then ready = at end
      if w[SUM] > uses then uses = w[SUM] end
      if ends and ends < stale then stale = ends end
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
  local uses, room, steady, matters, unlimited, text, packed = 0, NEVER, NEVER, NEVER, true, '', ''
  local windows = m[WINDOWS]
  if m[GROUP] ~= '' or isAccount(m.id) then steady = 0 end
  for i = 1, #windows do
    local w = windows[i]
    unlimited = unlimited and w[LIMIT] < 0
    local last, ends = lastOf(w), w[FIRST + ENDS]
    if w[LIMIT] >= 0 and last then
      uses, room = math.max(uses, w[SUM]), math.min(room, w[LIMIT] - w[SUM])
      steady = math.min(steady, ends, joinedUntil(w, last))
      if steady > now then
        matters = math.min(matters, mattersFrom(w, last, -1))
        text = text .. ',' .. w[SUM] .. ',' .. ends .. ',' .. w[last]
      end
    else
      steady = 0
    end
    local format = 'sdsdddd' .. string.rep('d', #w - SUM)
    packed = packed .. struct.pack('<s' .. format, '<' .. format, unpack(w))
  end
  if unlimited then uses = m[TOTAL] end
  text = steady > now and cjson.encode(string.sub(m.id, 2)) .. ',' .. (matters == NEVER and -1 or matters) .. text or ''
  return struct.pack('${RECORD}${NODE}', m[TOTAL], m[LAST], 0, uses, room, steady, text,
    m[REST], #m[MEMBER], m[MEMBER], #m[GROUP], m[GROUP], m[READY] and 1 or 0, m[WAKE], #windows) .. packed
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
  local total, last, extra, _, _, _, _, rest, member, group, ready, wake, count, at = struct.unpack('${RECORD}${NODE}', packed)
  local windows = {}
  for i = 1, count do
    local format, from = struct.unpack('s', packed, at)
    local w = { struct.unpack(format, packed, from) }
    at = table.remove(w)
    -- Used in the last batch.
    if extra > 0 then w[#w] = w[#w] + extra end
    windows[i] = w
  end
  return { total, last, rest, member, group, ready == 1, wake, windows }
end
`;
