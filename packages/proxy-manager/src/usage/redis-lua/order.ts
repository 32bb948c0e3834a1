/**
 * An order is a sorted set of members by a number, of which the first ones are kept at hand: fifty takes in one script look
 * at it, and change it, with one command each. Its last member is '', so that no key comes and goes, and with it its expiry.
 *
 * `{ key, moved }`, `moved` by member its new number, or false, until it is written; and once it has been looked at
 * `members` in order, with `numbers` by member: all there are up to `edge`, at `edgeNumber`, which was the last of the first
 * `read` of the set; `isWhole` where there are no more. Needs `glimpse`, how many to read at first.
 */
export const ORDER = `
local orders = {}

local function orderOf(key, group)
  if group ~= '' then key = key .. ':' .. group end
  local o = orders[key]
  if not o then
    o = { key = key, moved = {} }
    orders[key] = o
  end
  return o
end

-- Puts a member where the number says, or out of the order.
local function put(o, member, number)
  o.moved[member] = number
  local members, numbers = o.members, o.numbers
  if not members then return end
  if numbers[member] then
    local at = 1
    while members[at] ~= member do at = at + 1 end
    table.remove(members, at)
    numbers[member] = nil
  end
  if not number then return end
  if not o.isWhole and (number > o.edgeNumber or number == o.edgeNumber and member > o.edge) then return end
  local i = #members
  while i > 0 do
    local before = members[i]
    local at = numbers[before]
    if at < number or at == number and before < member then break end
    members[i + 1] = before
    i = i - 1
  end
  members[i + 1], numbers[member] = member, number
end

local function write(o)
  local added, gone = { 'ZADD', o.key }, { 'ZREM', o.key }
  for member, number in pairs(o.moved) do
    if number then
      added[#added + 1] = number
      added[#added + 1] = member
    else
      gone[#gone + 1] = member
    end
    if #added > 400 then
      redis.call(unpack(added))
      added = { 'ZADD', o.key }
    end
  end
  if #added > 2 then redis.call(unpack(added)) end
  for i = 3, #gone, 400 do redis.call('ZREM', o.key, unpack(gone, i, math.min(i + 399, #gone))) end
  o.moved, o.members = {}, nil
end

-- Reads more of the set; all of what is at hand, and at least 'wanted', where it has been changed.
local function readOn(o, wanted)
  if next(o.moved) then write(o) end
  if not o.members then o.members, o.numbers, o.read, o.isWhole = {}, {}, 0, false end
  local members, numbers = o.members, o.numbers
  local count = o.read == 0 and math.max(glimpse, wanted) or 16
  local found = redis.call('ZRANGE', o.key, o.read, o.read + count - 1, 'WITHSCORES')
  for i = 1, #found, 2 do
    local member = found[i]
    if member == '' then
      o.isWhole = true
    else
      o.edge, o.edgeNumber = member, tonumber(found[i + 1])
      members[#members + 1], numbers[member] = member, o.edgeNumber
    end
  end
  o.read = o.read + count
  if #found < 2 * count then o.isWhole = true end
end

-- The id and the number in the i-th place, or nil beyond the last.
local function nth(o, i)
  while true do
    local member = o.members and o.members[i]
    if member then return string.sub(member, 9), o.numbers[member] end
    if o.members and o.isWhole then return nil end
    readOn(o, i)
  end
end
`;
