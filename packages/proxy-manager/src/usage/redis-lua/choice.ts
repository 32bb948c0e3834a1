/** Who is next, as pool/orders.ts has it, in Lua. Needs nodes.ts. */
export const CHOICE = `
local function wakeGroup(s, group)
  local waking = orderOf(s.waking, group)
  write(waking)
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', waking.key, '-inf', now, 'limit', 0, 32)) do
    local id = string.sub(member, 9)
    if isAccount(id) then wakeGroup(s, id) end
    place(s, get(s, id))
  end
  if group ~= '' then return end
  write(waking)
  s.head.quiet = tonumber(redis.call('ZRANGE', waking.key, 0, 0, 'WITHSCORES')[2] or 'inf')
end

local function readyFor(m, op)
  local at, windows, resting = m[REST], m[WINDOWS], op.resting and op.resting[m.id]
  for i = 1, #windows do
    local w = windows[i]
    if w[LIMIT] >= 0 then
      local fits = fitsAt(w, op.cost)
      if fits > at then at = fits end
    end
  end
  return resting and resting > at and resting or at
end

local function pathReadyFor(s, meterId, op)
  local at = NEVER
  for i, m in ipairs(path(s, meterId)) do at = math.max(i == 1 and 0 or at, readyFor(m, op)) end
  return at
end

-- The path to the first that is ready, and to the first to be avoided.
local function firstOf(s, group, account, op, avoided)
  local ready, n = orderOf(s.ready, group), 1
  local id = nth(ready, n)
  while id do
    local m, chosen = get(s, id), nil
    if readyFor(m, op) <= now then
      if isAccount(id) then
        chosen, avoided = firstOf(s, id, m, op, avoided)
      elseif op.avoid and op.avoid[id] then
        avoided = avoided or { m, account }
      else
        chosen = { m, account }
      end
      if chosen then return chosen, avoided end
    end
    n = n + 1
    id = nth(ready, n)
  end
  return nil, avoided
end

-- When the first meter of a group can be taken: of an account, whatever the account says.
local function earliest(s, group, op)
  local best, waking, n = NEVER, orderOf(s.waking, group), 1
  local id, at = nth(waking, n)
  while id and at < best do
    local ready = readyFor(get(s, id), op)
    if isAccount(id) then ready = math.max(ready, earliest(s, id, op)) end
    best = math.min(best, ready)
    n = n + 1
    id, at = nth(waking, n)
  end
  if group == '' then return best end
  local ready, k = orderOf(s.ready, group), 1
  local member = nth(ready, k)
  while member do
    if readyFor(get(s, member), op) <= now then return -NEVER end
    k = k + 1
    member = nth(ready, k)
  end
  return best
end

-- The path to use next, or nil and when there will be one.
local function choose(s, op, pin)
  if pin then
    local at = pathReadyFor(s, pin, op)
    if at <= now then return path(s, pin) end
    return nil, at
  end
  local chosen, avoided
  repeat
    if s.head.quiet <= now then wakeGroup(s, '') end
    chosen, avoided = firstOf(s, '', nil, op, nil)
    if chosen or avoided then return chosen or avoided end
  until s.head.quiet > now
  local at = earliest(s, '', op)
  for id in pairs(op.resting or {}) do at = math.min(at, pathReadyFor(s, string.sub(id, 2), op)) end
  return nil, at
end
`;
