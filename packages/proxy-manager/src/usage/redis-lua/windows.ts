/**
 * pool/window.ts in Lua. A window is `{ name, limit, kind, length, margin, slot, batches }`, limit -1 where the present
 * stamp does not name it; its batches are `{ id, opener, opened, ends, used }`. Needs `now` and `calendars`: by name and
 * margin, `{ from, till, ends }` where uses taken from `from` until before `till` stop counting at `ends`.
 */
export const WINDOWS = `
local NAME, LIMIT, KIND, LENGTH, MARGIN, SLOT, BATCHES = 1, 2, 3, 4, 5, 6, 7
local ID, OPENER, OPENED, ENDS, USED = 1, 2, 3, 4, 5

local function calendarOf(w) return calendars[w[NAME] .. ' ' .. w[MARGIN]] end

local function slotEnd(w)
  if w[KIND] == 'per' then
    local calendar = calendarOf(w)
    -- Of a window that only somebody else's file names: its uses stop counting together.
    if not calendar then return #w[BATCHES] > 0 and w[BATCHES][#w[BATCHES]][ENDS] or now end
    return calendar[3]
  end
  return math.ceil((now + w[LENGTH] + w[MARGIN]) / w[SLOT]) * w[SLOT]
end

local function bringUpToDate(w)
  local before, live = w[BATCHES], nil
  if #before == 0 then return end
  local span = w[LENGTH] + w[MARGIN]
  if before[1][ENDS] <= now then
    live = {}
    for _, b in ipairs(before) do
      if b[ENDS] > now then live[#live + 1] = b end
    end
    w[BATCHES] = live
  end
  if w[LIMIT] < 0 then return end
  for i, b in ipairs(live or before) do
    b[OPENED] = math.min(b[OPENED], now)
    b[ENDS] = math.min(b[ENDS], w[KIND] == 'every' and now + i * span or slotEnd(w))
  end
end

local function used(w)
  local sum = 0
  for _, b in ipairs(w[BATCHES]) do sum = sum + b[USED] end
  return sum
end

local function fitsAt(w, cost)
  local over = used(w) + cost - w[LIMIT]
  if over <= 0 then return -NEVER end
  if cost > w[LIMIT] then return NEVER end
  for _, b in ipairs(w[BATCHES]) do
    over = over - b[USED]
    if over <= 0 then return b[ENDS] end
  end
  return NEVER
end

local function open(w, b)
  w[BATCHES][#w[BATCHES] + 1] = b
  return b[ID]
end

local function join(b, cost)
  b[USED] = b[USED] + cost
  return b[ID]
end

local function count(w, cost, take)
  local batches = w[BATCHES]
  local last = batches[#batches]
  if w[KIND] ~= 'every' then
    local ends = slotEnd(w)
    if last and last[ENDS] >= ends then return join(last, cost) end
    return open(w, { take, take, now, ends, cost })
  end
  local span = w[LENGTH] + w[MARGIN]
  if not last then return open(w, { take, take, now, now + span, cost }) end
  if last[OPENER] == 0 then
    if #batches == 1 then last[OPENER], last[ENDS] = take, now + span end
    return join(last, cost)
  end
  if now >= last[OPENED] + w[LENGTH] - w[MARGIN] then return open(w, { take, 0, now, last[ENDS] + span, cost }) end
  return join(last, cost)
end

local function batchOf(w, id)
  for i, b in ipairs(w[BATCHES]) do
    if b[ID] == id then return b, i end
  end
end

-- Whether the provider's window may have begun with a use of this take.
local function isOpener(b, take) return b[OPENER] == take or b[OPENER] == 0 end

local function mattersFrom(w, id, take)
  local b = batchOf(w, id)
  if w[KIND] == 'every' then return isOpener(b, take) and 0 or b[ENDS] end
  if w[KIND] == 'per' then return b[ENDS] - 2 * w[MARGIN] end
  return b[ENDS] - w[LENGTH] - w[MARGIN] + 1
end

local function takeOut(w, b, i, cost)
  b[USED] = b[USED] - cost
  if b[USED] <= 0 then table.remove(w[BATCHES], i) end
end

-- It ends so much later, and what follows it too.
local function prolong(w, i, ends)
  local later = math.max(0, ends - w[BATCHES][i][ENDS])
  for n = i, #w[BATCHES] do w[BATCHES][n][ENDS] = w[BATCHES][n][ENDS] + later end
end

local function arrive(w, cost, take, id, fresh)
  local b, i = batchOf(w, id)
  local last = w[BATCHES][#w[BATCHES]]
  if w[KIND] ~= 'every' then
    if w[KIND] == 'per' and not calendarOf(w) then return end
    if b and b[ENDS] >= slotEnd(w) then return end
    if b then takeOut(w, b, i, cost) end
    count(w, cost, fresh)
  elseif b then
    if isOpener(b, take) then prolong(w, i, now + w[LENGTH] + w[MARGIN]) end
  elseif last then
    join(last, cost)
  elseif w[LIMIT] >= 0 then
    open(w, { fresh, 0, now, now + w[LENGTH] + w[MARGIN], cost })
  end
end

local function learn(w, remaining, resetAt, fresh)
  local missing = w[LIMIT] - remaining - used(w)
  if missing > 0 then count(w, missing, fresh) end
  if w[KIND] == 'every' and resetAt > 0 and #w[BATCHES] > 0 then
    prolong(w, 1, math.min(resetAt, now + w[LENGTH]) + w[MARGIN])
  end
end

local function uncount(w, cost, take, id)
  local b, i = batchOf(w, id)
  if not b then return end
  takeOut(w, b, i, cost)
  if w[KIND] == 'every' and b[OPENER] == take and b[USED] > 0 then
    b[OPENER] = 0
    prolong(w, i, now + w[LENGTH] + w[MARGIN])
  end
end
`;
