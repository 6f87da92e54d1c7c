-- The books after an effect: it leaves its lane, what it made is remembered, the next one is stamped.
-- KEYS 1 lane 2 busy 3 tried 4 lease 5 posts 6 sweeps 7 swept effects 8 errors 9 aside
-- ARGV 1 term 2 effect id 3 session 4 due of the sweep or '' 5 '' or the error with which it is set aside
--      6 fields, then fields * (field, value)
if redis.call('HGET', KEYS[4], 'term') ~= ARGV[1] then return {'fenced'} end
for i = 1, tonumber(ARGV[6]) do redis.call('HSET', KEYS[5], ARGV[5 + 2 * i], ARGV[6 + 2 * i]) end
local head = redis.call('LINDEX', KEYS[1], 0)
if head and string.match(head, '^%S+') == ARGV[2] then
  redis.call('LPOP', KEYS[1])
  redis.call('HDEL', KEYS[3], ARGV[2])
  redis.call('HDEL', KEYS[8], ARGV[3])
  if ARGV[4] ~= '' then
    redis.call('ZADD', KEYS[6], ARGV[4], ARGV[2])
    redis.call('HSET', KEYS[7], ARGV[2], ARGV[3] .. ' ' .. head)
  end
  if ARGV[5] ~= '' then redis.call('HSET', KEYS[9], ARGV[2], ARGV[3] .. ' ' .. ARGV[5] .. ' ' .. head) end
  head = redis.call('LINDEX', KEYS[1], 0)
end
if not head then
  redis.call('ZREM', KEYS[2], ARGV[3])
  return {'empty'}
end
local id = string.match(head, '^%S+')
local stamp = redis.call('HGET', KEYS[3], id)
if not stamp then
  local clock = redis.call('TIME')
  redis.call('HSET', KEYS[3], id, ARGV[1] .. ':' .. (clock[1] * 1000 + math.floor(clock[2] / 1000)))
end
return {'head', head, stamp or ''}
