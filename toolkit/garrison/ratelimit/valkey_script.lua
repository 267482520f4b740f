-- Decides for any number of keys in one trip, and for all quotas of a decision at once or for none of them.
--
-- KEYS: those of each decision, in the order in which they are made; one key may come in many decisions.
-- ARGV: how many sets of quotas; for each set how many quotas it has, and four words for each quota: the
--       field of its state, its algorithm, its limit in units and its period in microseconds; then two words
--       for each key: the number of its set and its units. Units are taken if positive and given back if
--       negative; 0 looks whether there is room for 1, and `3?` whether there is for 3, and takes nothing;
--       `reset` forgets the key. After `3&` the next key belongs to the same decision: none of its keys is
--       taken from unless all of them have room.
-- Returns for each decision four integers for each quota of its keys: microseconds until it has room (0 now),
-- whole units left, microseconds until there are more, microseconds until it is untouched. A reset returns
-- whether there was something to forget. A decision that fails returns its error, and the others stand.
--
-- A key is a hash with one field for each quota, so that quotas that were changed begin anew. All times are
-- microseconds of the server's clock. A state that lies in the future was written before that clock was set
-- back; it is moved to now, and written back even on refusal, or the client would wait for the old time.

local function server_time()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

local now = server_time()
local ceil, floor, max, min = math.ceil, math.floor, math.max, math.min

-- Each algorithm keeps up to three numbers, a, b and c, and says
--   open: what they are now, from the text of the field (false if there is none), and whether time went back;
--   wait: after how long there is room for so many units;
--   left: how many units there are, which may be no whole number, and less than 0 where time went back;
--   take: what they are once so many units are taken, or given back if negative;
--   rest: after how long the quota is untouched;
--   text: the field.
local algorithms = {}

-- The generic cell rate algorithm (ITU-T I.371). a: how long the bucket takes to be full again. The field
-- holds a and when that was, and not the sum of both, the theoretical arrival time: as a fraction of a
-- microsecond a is exact, and the sum would not be.
algorithms['token-bucket'] = {
  open = function(quota, text)
    if not text then return 0, 0, 0, false end
    local space = string.find(text, ' ', 1, true)
    local past = now - tonumber(string.sub(text, 1, space - 1))
    return max(0, tonumber(string.sub(text, space + 1)) - max(0, past)), 0, 0, past < 0
  end,
  wait = function(quota, a, b, c, units)
    local late = a + units * quota.step - quota.period
    if late <= quota.forgiven then return 0 end
    return ceil(late)
  end,
  left = function(quota, a)
    return (quota.period - a + quota.forgiven) / quota.step
  end,
  take = function(quota, a, b, c, units)
    return max(0, a + units * quota.step), 0, 0
  end,
  rest = function(quota, a)
    return ceil(a)
  end,
  text = function(a)
    return string.format('%.0f %.17g', now, a)
  end,
}

-- a: the window's end, b: units used in it.
algorithms['fixed-window'] = {
  open = function(quota, text)
    if not text then return 0, 0, 0, false end
    local space = string.find(text, ' ', 1, true)
    local a = tonumber(string.sub(text, 1, space - 1))
    local b = tonumber(string.sub(text, space + 1))
    -- A window in which nothing is used, because it was given back, is none.
    if a <= now or b == 0 then return 0, 0, 0, false end
    local latest = now + quota.period
    return min(a, latest), b, 0, a > latest
  end,
  wait = function(quota, a, b, c, units)
    if b + units <= quota.limit then return 0 end
    return max(a - now, 1)
  end,
  left = function(quota, a, b)
    return quota.limit - b
  end,
  take = function(quota, a, b, c, units)
    if a == 0 then a = now + quota.period end
    return a, max(0, b + units), 0
  end,
  rest = function(quota, a, b)
    if b == 0 then return 0 end
    return a - now
  end,
  text = function(a, b)
    return string.format('%.0f %.0f', a, b)
  end,
}

-- Microseconds of the window from which on the units of the window before weigh no more than `slack`.
local function light_from(period, units, slack)
  local from = max(0, ceil(period - slack * period / units))
  -- The quotient was rounded; the product of whole numbers is exact.
  if units * (period - from) > slack * period then from = from + 1 end
  return from
end

-- a: the window's start, b: units used in the window before, c: units used in this one.
algorithms['sliding-window'] = {
  open = function(quota, text)
    if not text then return now, 0, 0, false end
    local one = string.find(text, ' ', 1, true)
    local two = string.find(text, ' ', one + 1, true)
    local a, b, c = tonumber(string.sub(text, 1, one - 1)),
      tonumber(string.sub(text, one + 1, two - 1)), tonumber(string.sub(text, two + 1))
    if b == 0 and c == 0 then return now, 0, 0, false end
    if a > now then return now, b, c, true end
    if now - a >= quota.period then
      a, b, c = a + quota.period, c, 0
      -- What came before that window is over too, and a new one begins at the next hit.
      if now - a >= quota.period or b == 0 then return now, 0, 0, false end
    end
    return a, b, c, false
  end,
  wait = function(quota, a, b, c, units)
    local period, past = quota.period, now - a
    local slack = quota.limit - c - units
    if slack >= 0 then
      if b * (period - past) <= slack * period then return 0 end
      return light_from(period, b, slack) - past
    end
    -- Not in this window. In the next one its units are those of the window before.
    if c == 0 then return period end
    return period - past + min(period, light_from(period, c, quota.limit - units))
  end,
  left = function(quota, a, b, c)
    return (quota.limit * quota.period - b * (quota.period - (now - a)) - c * quota.period) / quota.period
  end,
  take = function(quota, a, b, c, units)
    c = c + units
    if c < 0 then b, c = max(0, b + c), 0 end
    return a, b, c
  end,
  rest = function(quota, a, b, c)
    if c > 0 then return a + 2 * quota.period - now end
    if b > 0 then return a + quota.period - now end
    return 0
  end,
  text = function(a, b, c)
    return string.format('%.0f %.0f %.0f', a, b, c)
  end,
}

-- The arguments are read in their order.
local at = 0
local function word()
  at = at + 1
  return ARGV[at]
end

local function read_quotas()
  local set = { fields = {} }
  for number = 1, tonumber(word()) do
    set.fields[number] = word()
    local quota = { algorithm = algorithms[word()], limit = tonumber(word()), period = tonumber(word()) }
    quota.step = quota.period / quota.limit
    -- Who comes a microsecond early is on time, as in the memory store; but no part of a unit is free.
    quota.forgiven = min(1, quota.step / 4)
    set[number] = quota
  end
  return set
end

-- What there is of one key, and whether it has room for what is asked.
local function look(ask)
  local set, units = ask.set, ask.units
  local texts = redis.call('HMGET', ask.key, unpack(set.fields))
  local a, b, c, waits, room = {}, {}, {}, {}, true
  for number, quota in ipairs(set) do
    local algorithm, back = quota.algorithm, false
    a[number], b[number], c[number], back = algorithm.open(quota, texts[number])
    local wait = algorithm.wait(quota, a[number], b[number], c[number], max(units, 1))
    -- More than the limit never has room.
    if units > quota.limit then wait = quota.period end
    waits[number] = wait
    room = room and wait == 0
    ask.moved = ask.moved or back
  end
  ask.texts, ask.a, ask.b, ask.c, ask.waits = texts, a, b, c, waits
  return room
end

-- Takes so many units of one key, or gives them back, and adds where it stands then to the reply.
local function settle(ask, taken, reply)
  local set, texts = ask.set, ask.texts
  local longest, states = 0, {}
  for number, quota in ipairs(set) do
    local algorithm, text = quota.algorithm, texts[number]
    local x, y, z = ask.a[number], ask.b[number], ask.c[number]
    -- What is gone already cannot be given back.
    if taken > 0 or (taken < 0 and text) then x, y, z = algorithm.take(quota, x, y, z, taken) end
    local left, more, rest = max(0, floor(algorithm.left(quota, x, y, z))), 0, algorithm.rest(quota, x, y, z)
    if left < quota.limit then more = algorithm.wait(quota, x, y, z, left + 1) end
    local size = #reply
    reply[size + 1], reply[size + 2], reply[size + 3], reply[size + 4] = ask.waits[number], left, more, rest
    if taken > 0 or text then
      longest = max(longest, rest)
      states[#states + 1] = set.fields[number]
      states[#states + 1] = algorithm.text(x, y, z)
    end
  end
  if (taken ~= 0 or ask.moved) and #states > 0 then
    redis.call('HSET', ask.key, unpack(states))
    -- In the same script, so that no key lives without an end.
    redis.call('PEXPIRE', ask.key, max(1, ceil(longest / 1000)))
  end
end

-- Everything is read before anything is written, so that an error takes nothing either.
local function decide(asks)
  local room, reply = true, {}
  for _, ask in ipairs(asks) do
    room = look(ask) and room
  end
  for _, ask in ipairs(asks) do
    local takes = ask.units < 0 or (room and not ask.only_look)
    settle(ask, takes and ask.units or 0, reply)
  end
  return reply
end

local sets = {}
for number = 1, tonumber(word()) do sets[number] = read_quotas() end

local replies, asks = {}, {}
for _, key in ipairs(KEYS) do
  local set, word_of_units = sets[tonumber(word())], word()
  local units, mark = tonumber(word_of_units), ''
  if not units and word_of_units ~= 'reset' then
    units, mark = tonumber(string.sub(word_of_units, 1, -2)), string.sub(word_of_units, -1)
  end
  asks[#asks + 1] = { key = key, set = set, units = units, only_look = mark == '?' }
  if mark ~= '&' then
    local done, reply
    if units then
      done, reply = pcall(decide, asks)
    else
      done, reply = pcall(redis.call, 'DEL', key)
    end
    if not done and type(reply) == 'string' then reply = { err = reply } end
    replies[#replies + 1] = reply
    asks = {}
  end
end
return replies
