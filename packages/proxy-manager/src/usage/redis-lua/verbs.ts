/** The verbs of pool/ledger.ts in Lua: a take, for a script that only takes. Needs choice.ts and `shelves`, one for each section. */
export const TAKE = `
local function take(op)
  local chosen, refused, retryAt = {}, nil, -1
  for n, s in ipairs(shelves) do
    local found, at = choose(s, op, op.pin and op.pin[n])
    chosen[n] = found
    if not found and at > retryAt then refused, retryAt = n - 1, at end
  end
  if refused then return { 'refused', refused, retryAt == NEVER and -1 or retryAt } end

  local number, cost = head.takes + 1, op.cost
  head.takes = number
  local answer = { 'granted', number }
  for n, found in ipairs(chosen) do
    local section, kept, size, matters = { found[1][TOTAL] + cost, 0, string.sub(found[1].id, 2), -1 }, nil, 4, NEVER
    for step = 1, #found do
      local m = found[step]
      m[TOTAL], m[LAST] = m[TOTAL] + cost, number
      local windows = m[WINDOWS]
      for i = 1, #windows do
        local w = windows[i]
        if w[LIMIT] >= 0 then
          local b = count(w, cost, number)
          local from = mattersFrom(w, b, number)
          if from < matters then matters = from end
          section[size + 1], section[size + 2], section[size + 3] = w[SUM], w[FIRST + ENDS], w[b]
          size = size + 3
        elseif w[FIRST] then
          -- No present limit names it: it is kept, and not opened anew.
          kept = kept or {}
          kept[#kept + 1], kept[#kept + 2], kept[#kept + 3] = step - 1, w[NAME], w[count(w, cost, number)]
        end
      end
      place(shelves[n], m)
    end
    section[size + 1] = kept
    if matters ~= NEVER then section[4] = matters end
    answer[n + 2] = section
  end
  return answer
end
`;

/** The others; gives `apply`, all of them by name. Needs `keepUntil`. */
export const OTHERS = `
-- op.counted: for each section the meter, and node by node the batches it was counted in, by window.
local function eachCounted(op, edit)
  for n, counted in ipairs(op.counted) do
    for step, m in ipairs(path(shelves[n], counted.id)) do
      for _, w in ipairs(m[WINDOWS]) do edit(w, (counted.nodes[step] or {})[w[NAME]]) end
      if op.verb == 'giveBack' then m[TOTAL] = math.max(0, m[TOTAL] - op.cost) end
      place(shelves[n], m)
    end
  end
end

function apply.giveBack(op)
  eachCounted(op, function(w, batch) uncount(w, op.cost, op.take, batch) end)
end

function apply.arrived(op)
  head.takes = head.takes + 1
  eachCounted(op, function(w, batch) arrive(w, op.cost, op.take, batch, head.takes) end)
end

function apply.rest(op)
  for _, s in ipairs(shelves) do
    for step, m in ipairs(path(s, op.id)) do
      if step == 1 then m[REST] = math.max(m[REST], op.untilMs) end
      place(s, m)
    end
  end
  keepUntil = math.max(keepUntil, op.untilMs)
end

-- op.limits: name, limit, remaining and reset (or 0) of windows.
function apply.learn(op)
  head.takes = head.takes + 1
  for _, s in ipairs(shelves) do
    for _, m in ipairs(path(s, op.id)) do
      for _, w in ipairs(m[WINDOWS]) do
        for _, told in ipairs(op.limits) do
          if w[NAME] == told[1] and w[LIMIT] == told[2] then
            learn(w, told[3], told[4], head.takes)
            break
          end
        end
      end
      place(s, m)
    end
  end
end
`;
