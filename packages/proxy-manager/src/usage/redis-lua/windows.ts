/**
 * What a take needs of pool/window.ts, in Lua. A window is `{ name, limit, kind, length, margin, slot, batches, sum }`,
 * limit -1 where the present stamp does not name it, sum being the uses in its batches, which are
 * `{ id, opener, opened, ends, used }`. Needs `now` and `calendars`: by name and margin, `{ from, till, ends }` where uses
 * taken from `from` until before `till` stop counting at `ends`.
 */
export const WINDOWS = `
local function slotEnd(w)
  if w[KIND] == 'per' then
    local calendar = calendars[w[NAME] .. ' ' .. w[MARGIN]]
    -- Of a window that only somebody else's file names: its uses stop counting together.
    if not calendar then return #w[BATCHES] > 0 and w[BATCHES][#w[BATCHES]][ENDS] or now end
    return calendar[3]
  end
  return math.ceil((now + w[LENGTH] + w[MARGIN]) / w[SLOT]) * w[SLOT]
end

-- Drops what is over; and brings what is from a future that was none, before the clock was set right, back to now.
local function bringUpToDate(w)
  local before = w[BATCHES]
  local live, sum = before, 0
  if before[1] and before[1][ENDS] <= now then live = {} end
  local span = w[KIND] == 'every' and w[LENGTH] + w[MARGIN]
  local latest = before[1] and w[LIMIT] >= 0 and not span and slotEnd(w)
  for i = 1, #before do
    local b = before[i]
    if b[ENDS] > now then
      sum = sum + b[USED]
      if live ~= before then live[#live + 1] = b end
    end
  end
  w[BATCHES], w[SUM] = live, sum
  if w[LIMIT] < 0 then return end
  for i = 1, #live do
    local b, till = live[i], latest or now + i * span
    if b[OPENED] > now then b[OPENED] = now end
    if b[ENDS] > till then b[ENDS] = till end
  end
end

local function fitsAt(w, cost)
  local over = w[SUM] + cost - w[LIMIT]
  if over <= 0 then return -NEVER end
  if cost > w[LIMIT] then return NEVER end
  for _, b in ipairs(w[BATCHES]) do
    over = over - b[USED]
    if over <= 0 then return b[ENDS] end
  end
  return NEVER
end

-- Counts by the take of this number, and gives the batch.
local function count(w, cost, take)
  local batches = w[BATCHES]
  local last = batches[#batches]
  local opener, ends = take, nil
  if w[KIND] ~= 'every' then
    ends = slotEnd(w)
    if last and last[ENDS] >= ends then ends = nil end
  else
    local span = w[LENGTH] + w[MARGIN]
    if not last then
      ends = now + span
    elseif last[OPENER] == 0 then
      if #batches == 1 then last[OPENER], last[ENDS] = take, now + span end
    elseif now >= last[OPENED] + w[LENGTH] - w[MARGIN] then
      opener, ends = 0, last[ENDS] + span
    end
  end
  if ends then
    last = { take, opener, now, ends, 0 }
    batches[#batches + 1] = last
  end
  last[USED], w[SUM] = last[USED] + cost, w[SUM] + cost
  return last
end

local function mattersFrom(w, b, take)
  -- The provider's window may have begun with a use of this take.
  if w[KIND] == 'every' then return (b[OPENER] == take or b[OPENER] == 0) and 0 or b[ENDS] end
  if w[KIND] == 'per' then return b[ENDS] - 2 * w[MARGIN] end
  return b[ENDS] - w[LENGTH] - w[MARGIN] + 1
end

-- Until when uses are counted in the last batch, as it is.
local function joinedUntil(w, last)
  if w[KIND] == 'every' then return last[OPENER] == 0 and 0 or last[OPENED] + w[LENGTH] - w[MARGIN] end
  if last[ENDS] < slotEnd(w) then return 0 end
  if w[KIND] == 'per' then return last[ENDS] - 2 * w[MARGIN] end
  return math.floor(last[ENDS] / w[SLOT]) * w[SLOT] - w[LENGTH] - w[MARGIN] + 1
end
`;

/** What the other verbs need of it. */
export const CORRECTIONS = `
local function batchOf(w, id)
  for i, b in ipairs(w[BATCHES]) do
    if b[ID] == id then return b, i end
  end
end

local function takeOut(w, b, i, cost)
  local out = math.min(cost, b[USED])
  b[USED], w[SUM] = b[USED] - out, w[SUM] - out
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
    if w[KIND] == 'per' and not calendars[w[NAME] .. ' ' .. w[MARGIN]] then return end
    if b and b[ENDS] >= slotEnd(w) then return end
    if b then takeOut(w, b, i, cost) end
    count(w, cost, fresh)
  elseif b then
    if b[OPENER] == take or b[OPENER] == 0 then prolong(w, i, now + w[LENGTH] + w[MARGIN]) end
  elseif last then
    last[USED], w[SUM] = last[USED] + cost, w[SUM] + cost
  elseif w[LIMIT] >= 0 then
    w[BATCHES][1] = { fresh, 0, now, now + w[LENGTH] + w[MARGIN], cost }
    w[SUM] = cost
  end
end

local function learn(w, remaining, resetAt, fresh)
  local missing = w[LIMIT] - remaining - w[SUM]
  if missing > 0 then count(w, missing, fresh) end
  if w[KIND] == 'every' and resetAt > 0 and #w[BATCHES] > 0 then
    prolong(w, 1, math.min(resetAt, now + w[LENGTH]) + w[MARGIN])
  end
end

local function uncount(w, cost, take, id)
  local b, i = batchOf(w, id)
  if not b then return end
  takeOut(w, b, i, cost)
  if w[KIND] ~= 'every' then return end
  if b[USED] <= 0 then
    bringUpToDate(w)
  elseif b[OPENER] == take then
    b[OPENER] = 0
    prolong(w, i, now + w[LENGTH] + w[MARGIN])
  end
end
`;
