/**
 * What a take needs of pool/window.ts, in Lua. A window is one array: name, limit (-1 where the present stamp does not name
 * it), kind, length, margin, slot, sum, and from FIRST on its batches, each of them five numbers: id, opener, opened, ends,
 * used. The sum is of what is used in them; a batch is known by the place of its id. Needs `now` and `calendars`: by name
 * and margin, `{ from, till, ends }` where uses taken from `from` until before `till` stop counting at `ends`.
 */
export const WINDOWS = `
local function lastOf(w)
  if w[FIRST] then return #w - USED end
end

local function slotEnd(w)
  if w[KIND] == 'per' then
    local calendar = calendars[w[NAME] .. ' ' .. w[MARGIN]]
    -- Of a window that only somebody else's file names: its uses stop counting together.
    if not calendar then return w[FIRST] and w[lastOf(w) + ENDS] or now end
    return calendar[3]
  end
  return math.ceil((now + w[LENGTH] + w[MARGIN]) / w[SLOT]) * w[SLOT]
end

-- Drops what is over; and brings what is from a future that was none, before the clock was set right, back to now.
local function bringUpToDate(w)
  local size, sum, to = #w, 0, FIRST
  for b = FIRST, size, 5 do
    if w[b + ENDS] > now then
      sum = sum + w[b + USED]
      if to < b then
        for part = 0, USED do w[to + part] = w[b + part] end
      end
      to = to + 5
    end
  end
  for i = size, to, -1 do w[i] = nil end
  w[SUM] = sum
  if to == FIRST or w[LIMIT] < 0 then return end
  local span = w[KIND] == 'every' and w[LENGTH] + w[MARGIN]
  local latest = span and now or slotEnd(w)
  for b = FIRST, to - 1, 5 do
    if span then latest = latest + span end
    if w[b + OPENED] > now then w[b + OPENED] = now end
    if w[b + ENDS] > latest then w[b + ENDS] = latest end
  end
end

local function fitsAt(w, cost)
  local over = w[SUM] + cost - w[LIMIT]
  if over <= 0 then return -NEVER end
  if cost > w[LIMIT] then return NEVER end
  for b = FIRST, #w, 5 do
    over = over - w[b + USED]
    if over <= 0 then return w[b + ENDS] end
  end
  return NEVER
end

local function open(w, id, opener, ends)
  local size = #w
  w[size + 1] = id
  w[size + 2] = opener
  w[size + 3] = now
  w[size + 4] = ends
  w[size + 5] = 0
end

-- Counts by the take of this number, and gives the batch.
local function count(w, cost, take)
  local last = lastOf(w)
  if w[KIND] ~= 'every' then
    local ends = slotEnd(w)
    if not last or w[last + ENDS] < ends then open(w, take, take, ends) end
  else
    local span = w[LENGTH] + w[MARGIN]
    if not last then
      open(w, take, take, now + span)
    elseif w[last + OPENER] == 0 then
      if last == FIRST then w[last + OPENER], w[last + ENDS] = take, now + span end
    elseif now >= w[last + OPENED] + w[LENGTH] - w[MARGIN] then
      open(w, take, 0, w[last + ENDS] + span)
    end
  end
  w[#w], w[SUM] = w[#w] + cost, w[SUM] + cost
  return lastOf(w)
end

local function mattersFrom(w, b, take)
  -- The provider's window may have begun with a use of this take.
  if w[KIND] == 'every' then return (w[b + OPENER] == take or w[b + OPENER] == 0) and 0 or w[b + ENDS] end
  if w[KIND] == 'per' then return w[b + ENDS] - 2 * w[MARGIN] end
  return w[b + ENDS] - w[LENGTH] - w[MARGIN] + 1
end

-- Until when uses are counted in the last batch, as it is.
local function joinedUntil(w, last)
  local ends = w[last + ENDS]
  if w[KIND] == 'every' then return w[last + OPENER] == 0 and 0 or w[last + OPENED] + w[LENGTH] - w[MARGIN] end
  if ends < slotEnd(w) then return 0 end
  if w[KIND] == 'per' then return ends - 2 * w[MARGIN] end
  return math.floor(ends / w[SLOT]) * w[SLOT] - w[LENGTH] - w[MARGIN] + 1
end
`;

/** What the other verbs need of it. */
export const CORRECTIONS = `
local function batchOf(w, id)
  for b = FIRST, #w, 5 do
    if w[b] == id then return b end
  end
end

-- True where nothing is left of the batch: the next one has its place.
local function takeOut(w, b, cost)
  local out = math.min(cost, w[b + USED])
  w[b + USED], w[SUM] = w[b + USED] - out, w[SUM] - out
  if w[b + USED] > 0 then return false end
  for part = 0, USED do table.remove(w, b) end
  return true
end

-- It ends so much later, and what follows it too.
local function prolong(w, b, ends)
  local later = math.max(0, ends - w[b + ENDS])
  for n = b, #w, 5 do w[n + ENDS] = w[n + ENDS] + later end
end

local function arrive(w, cost, take, id, fresh)
  local b = batchOf(w, id)
  if w[KIND] ~= 'every' then
    if w[KIND] == 'per' and not calendars[w[NAME] .. ' ' .. w[MARGIN]] then return end
    if b and w[b + ENDS] >= slotEnd(w) then return end
    if b then takeOut(w, b, cost) end
    count(w, cost, fresh)
  elseif b then
    if w[b + OPENER] == take or w[b + OPENER] == 0 then prolong(w, b, now + w[LENGTH] + w[MARGIN]) end
  elseif w[FIRST] or w[LIMIT] >= 0 then
    if not w[FIRST] then open(w, fresh, 0, now + w[LENGTH] + w[MARGIN]) end
    w[#w], w[SUM] = w[#w] + cost, w[SUM] + cost
  end
end

local function learn(w, remaining, resetAt, fresh)
  local missing = w[LIMIT] - remaining - w[SUM]
  if missing > 0 then count(w, missing, fresh) end
  if w[KIND] == 'every' and resetAt > 0 and w[FIRST] then
    prolong(w, FIRST, math.min(resetAt, now + w[LENGTH]) + w[MARGIN])
  end
end

local function uncount(w, cost, take, id)
  local b = batchOf(w, id)
  if not b then return end
  local opener = w[b + OPENER]
  local isGone = takeOut(w, b, cost)
  if w[KIND] ~= 'every' then return end
  if isGone then
    bringUpToDate(w)
  elseif opener == take then
    w[b + OPENER] = 0
    prolong(w, b, now + w[LENGTH] + w[MARGIN])
  end
end
`;
