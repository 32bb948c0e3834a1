import { HEAD, RECORD } from './fields.js';

/**
 * Takes in the plain case, by far the most frequent: the orders are those of this pool, nobody is to be woken, and each
 * meter that comes first is alone (no account), and counts on in the batches that it has. There a take is a few sums in the
 * first numbers of its record; its windows (redis-lua/nodes.ts) are neither read nor written. Gives nil, with nothing done,
 * where anything is otherwise.
 */
export const PLAIN: string = `
local function plainly()
  local takes, latest, keyQuiet, _, proxyQuiet, _, keyStamp, proxyStamp = struct.unpack('${HEAD}', packedHead)
  if latest - clock > 3600000 then return nil end
  local now, lines, answers = math.max(latest, clock), {}, {}
  for i = 1, #verbs do answers[i] = '["granted",' .. takes + i end
  for n = 1, (#KEYS - 1) / 3 do
    local stamp = ARGV[n + 2]
    local quiet = stamp == keyStamp and keyQuiet or stamp == proxyStamp and proxyQuiet or 0
    if now >= quiet then return nil end
    local members, ids = redis.call('ZRANGE', KEYS[3 * n], 0, #verbs - 1), {}
    if not members[1] then return nil end
    for i = 1, #members do ids[i] = string.sub(members[i], 9) end
    local line, first = redis.call('HMGET', KEYS[3 * n - 1], unpack(ids)), 1
    -- The last of the order has no record: it is false.
    for i = 1, #line do line[i] = line[i] and { members[i], line[i], struct.unpack('${RECORD}', line[i]) } or nil end
    for i, cost in ipairs(verbs) do
      local c = line[first]
      if not c or type(cost) ~= 'number' or now >= c[IN_STEADY] or cost >= c[IN_ROOM] then return nil end
      c[IN_TOTAL], c[IN_LAST], c[IN_EXTRA] = c[IN_TOTAL] + cost, takes + i, c[IN_EXTRA] + cost
      c[IN_USES], c[IN_ROOM] = c[IN_USES] + cost, c[IN_ROOM] - cost
      answers[i] = answers[i] .. ',[' .. c[IN_TOTAL] .. ',' .. c[IN_EXTRA] .. ',' .. c[IN_TEXT] .. ']'
      -- Most often it is the last of the line now.
      local place, number = #line, c[IN_USES] * 4294967296 + c[IN_LAST] % 4294967296
      while place > first do
        local other = line[place]
        local at = other[IN_USES] * 4294967296 + other[IN_LAST] % 4294967296
        if at < number or at == number and other[1] < c[1] then break end
        line[place + 1] = other
        place = place - 1
      end
      line[place + 1] = c
      first = first + 1
    end
    lines[n] = { line, first }
  end
  for n, found in ipairs(lines) do
    local fields, places, line = { 'HSET', KEYS[3 * n - 1] }, { 'ZADD', KEYS[3 * n] }, found[1]
    for i = found[2], #line do
      local c = line[i]
      if c[IN_LAST] > takes then
        local size = #fields
        fields[size + 1] = string.sub(c[1], 9)
        fields[size + 2] = struct.pack('<dddddd', c[IN_TOTAL], c[IN_LAST], c[IN_EXTRA], c[IN_USES], c[IN_ROOM], c[IN_STEADY])
          .. string.sub(c[2], 49)
        places[size + 1] = c[IN_USES] * 4294967296 + c[IN_LAST] % 4294967296
        places[size + 2] = c[1]
      end
    end
    redis.call(unpack(fields))
    redis.call(unpack(places))
  end
  redis.call('HSET', KEYS[1], 'head', struct.pack('<dd', takes + #verbs, now) .. string.sub(packedHead, 17))
  return '[' .. table.concat(answers, '],') .. ']]'
end
`;
