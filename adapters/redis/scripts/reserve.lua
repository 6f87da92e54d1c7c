-- A place of an operator's capacity for a session. Answers new, had (the session has one) or full.
-- KEYS 1 reservations 2 last given   ARGV 1 session 2 capacity, or '' for no limit
local types = {'hash', 'string'}
for i, key in ipairs(KEYS) do
  local is = redis.call('TYPE', key).ok
  if is ~= 'none' and is ~= types[i] then
    return redis.error_reply('FOREIGN ' .. key .. ' holds a ' .. is .. ', not a ' .. types[i])
  end
end
local capacity = tonumber(ARGV[2])
if ARGV[2] ~= '' and not capacity then return redis.error_reply('ARGUMENT capacity is not a number') end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then
  redis.call('HSET', KEYS[1], ARGV[1], now)
  return 'had'
end
if capacity and redis.call('HLEN', KEYS[1]) >= capacity then return 'full' end
redis.call('HSET', KEYS[1], ARGV[1], now)
redis.call('SET', KEYS[2], now)
return 'new'
