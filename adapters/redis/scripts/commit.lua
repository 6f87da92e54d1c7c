-- One decision, in one step or not at all.
--
-- Lua is atomic, not transactional: an error half way leaves the first half written. So every key's type and every
-- argument is checked before the first write. The duplicate is checked before the version, and answers as the first
-- time; then the fence, then the version, then "one open session per customer".
--
-- KEYS 1 snapshot 2 journal 3 bodies 4 seen 5 customer 6 customer's sessions 7 timers 8 sessions 9 fence lease
--      10 stale index 11 stale card, then four per lane: lane, busy, tried, lease
-- ARGV 1 input key 2 head before 3 head after 4 visible 5 tag 6 epoch 7 snapshot 8 session 9 open|go|close|leave
--      10 deadline or '' 11 fence term or '' 12 wake channel 13 customer 14 views to refresh ('', 'i', 'c', 'ic')
--      15 due of the refresh 16 entries 17 bodies 18 lanes 19 the customer's session before, or ''
--      20 now (ms), then the entries, the bodies (field, value), the lanes (name, term, n, n * (id, record))
local types = {'hash', 'list', 'hash', 'hash', 'hash', 'list', 'zset', 'zset', 'hash', 'zset', 'zset'}
local lane_types = {'list', 'zset', 'hash', 'hash'}
for i, key in ipairs(KEYS) do
  local want = types[i] or lane_types[(i - 12) % 4 + 1]
  local is = redis.call('TYPE', key).ok
  if is ~= 'none' and is ~= want then
    return redis.error_reply('FOREIGN ' .. key .. ' holds a ' .. is .. ', not a ' .. want)
  end
end
local entries, bodies, lanes = tonumber(ARGV[16]), tonumber(ARGV[17]), tonumber(ARGV[18])
local before, after = tonumber(ARGV[2]), tonumber(ARGV[3])
local right = entries and bodies and lanes and before and after and tonumber(ARGV[4]) and tonumber(ARGV[15])
    and tonumber(ARGV[20]) and after - before == entries and #KEYS == 11 + 4 * lanes
    and (ARGV[10] == '' or tonumber(ARGV[10]))
local last = right and 20 + entries + 2 * bodies
for _ = 1, right and lanes or 0 do
  local count = last and tonumber(ARGV[last + 3])
  last = count and last + 3 + 2 * count
end
if not right or last ~= #ARGV then
  return redis.error_reply('ARGUMENT of a commit is not what the script expects')
end

local session = ARGV[8]
local seen = redis.call('HGET', KEYS[4], ARGV[1])
if seen then return {'duplicate', seen} end
if ARGV[11] ~= '' and redis.call('HGET', KEYS[9], 'term') ~= ARGV[11] then return {'fenced'} end
if tonumber(redis.call('HGET', KEYS[1], 'head') or '0') ~= before then return {'conflict'} end
if redis.call('LLEN', KEYS[2]) ~= before then
  return redis.error_reply('FOREIGN ' .. KEYS[2] .. ' is not as long as its snapshot says')
end
if ARGV[9] == 'open' then
  -- Nothing was opened since the relay looked, not even what has been closed again: that may hold this very key.
  local books = redis.call('HMGET', KEYS[5], 'open', 'last')
  if books[1] and books[1] ~= ARGV[19] or (books[2] or '') ~= ARGV[19] then return {'conflict'} end
end

local at = 20
for i = 1, entries do redis.call('RPUSH', KEYS[2], ARGV[at + i]) end
at = at + entries
for i = 1, bodies do redis.call('HSET', KEYS[3], ARGV[at + 2 * i - 1], ARGV[at + 2 * i]) end
at = at + 2 * bodies
redis.call('HSET', KEYS[1], 'session', ARGV[7], 'head', ARGV[3], 'visible', ARGV[4], 'tag', ARGV[5], 'epoch', ARGV[6])
redis.call('HSET', KEYS[4], ARGV[1], session .. ' ' .. ARGV[3])
if ARGV[9] == 'open' then
  redis.call('HSET', KEYS[5], 'open', session, 'last', session)
  redis.call('RPUSH', KEYS[6], session)
  redis.call('ZADD', KEYS[8], ARGV[20], session)
elseif ARGV[9] ~= 'go' then
  if redis.call('HGET', KEYS[5], 'open') == session then redis.call('HDEL', KEYS[5], 'open') end
  if ARGV[9] == 'leave' and redis.call('HGET', KEYS[5], 'last') == session then redis.call('HDEL', KEYS[5], 'last') end
end
if ARGV[10] ~= '' then redis.call('ZADD', KEYS[7], ARGV[10], session) else redis.call('ZREM', KEYS[7], session) end
if string.find(ARGV[14], 'i', 1, true) then redis.call('ZADD', KEYS[10], 'NX', ARGV[20], session) end
if string.find(ARGV[14], 'c', 1, true) then redis.call('ZADD', KEYS[11], 'NX', ARGV[15], session) end

local answer, woken = {'committed'}, ''
for lane = 1, lanes do
  local k = 8 + 4 * lane
  local name, term, count = ARGV[at + 1], ARGV[at + 2], tonumber(ARGV[at + 3])
  at = at + 3
  local clock = redis.call('TIME')
  local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
  local lease = redis.call('HMGET', KEYS[k + 3], 'term', 'until')
  local direct = term ~= '' and lease[1] == term and (tonumber(lease[2] or '') or 0) > now
      and redis.call('LLEN', KEYS[k]) == 0
  for i = 1, count do
    local id = ARGV[at + 2 * i - 1]
    redis.call('RPUSH', KEYS[k], id .. ' ' .. ARGV[at + 2 * i])
    if direct and i == 1 then redis.call('HSET', KEYS[k + 2], id, term .. ':' .. now) end
  end
  at = at + 2 * count
  redis.call('ZADD', KEYS[k + 1], 'NX', 0, session)  -- due at once, by any clock
  if direct then answer[#answer + 1] = name else woken = woken .. ' ' .. name end
end
redis.call('PUBLISH', ARGV[12], session .. ' ' .. ARGV[3] .. ' ' .. ARGV[13] .. woken)
return answer
