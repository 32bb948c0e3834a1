/** What is done when a pool or the clock is another one. Needs nodes.ts. */
export const ENROL = `
local function clearPlaces(s)
  for _, group in ipairs(groupsOf(s)) do
    for _, order in ipairs({ orderOf(s.ready, group), orderOf(s.waking, group) }) do
      redis.call('DEL', order.key)
      orders[order.key] = nil
    end
  end
end

-- Brings the rests of all meters back, and leaves the orders to be made anew.
local function setBack(s)
  clearPlaces(s)
  s.head.stamp = ''
  for _, id in ipairs(redis.call('HKEYS', s.nodes)) do
    local m = get(s, id)
    if m[REST] > now then
      m[REST] = now + math.max(0, m[REST] - head.now)
      s.changed[id] = m
    end
  end
  store(s)
end

local function merge(windows, rules)
  local merged, named, open = {}, {}, {}
  for _, w in ipairs(windows) do open[w[NAME]] = w end
  for _, rule in ipairs(rules) do
    local known = open[rule[NAME]] or {}
    local w = { rule[NAME], rule[LIMIT], rule[KIND], rule[LENGTH], rule[MARGIN], rule[SLOT], 0, unpack(known, FIRST) }
    merged[#merged + 1] = w
    named[w[NAME]] = true
  end
  for name, w in pairs(open) do
    if not named[name] and w[FIRST] then
      w[LIMIT] = -1
      merged[#merged + 1] = w
    end
  end
  return merged
end

-- section.nodes: { id, group, position, number of its rules }, every meter of an account before the account.
local function enrol(s, section)
  local nodes, rules = section.nodes, section.rules
  clearPlaces(s)
  s.head.stamp, s.head.quiet, s.head.till = section.stamp, NEVER, 0
  local groups = { '' }
  for _, spec in ipairs(nodes) do
    if isAccount(spec[SPEC_ID]) then groups[#groups + 1] = spec[SPEC_ID] end
  end
  for _, group in ipairs(groups) do
    put(orderOf(s.ready, group), '', NEVER)
    put(orderOf(s.waking, group), '', NEVER)
  end
  for _, spec in ipairs(nodes) do
    local id, group = spec[SPEC_ID], spec[SPEC_GROUP]
    local m = get(s, id) or { 0, 0, 0, '', '', false, 0, {}, id = id }
    s.known[id] = m
    m[MEMBER], m[GROUP], m[READY], m[WAKE] = string.format('%08d', spec[SPEC_POSITION]) .. id, group, false, 0
    m[WINDOWS] = merge(m[WINDOWS], rules[spec[SPEC_RULES]])
    for _, w in ipairs(m[WINDOWS]) do bringUpToDate(w) end
    place(s, m)
  end
end
`;
