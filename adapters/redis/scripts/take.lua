-- The head of a lane, stamped now unless it bears a stamp already. A lane that was put off waits, whoever asks.
-- KEYS 1 lane 2 busy 3 tried 4 lease   ARGV 1 term 2 session 3 '' or the effect to stamp again
if redis.call('HGET', KEYS[4], 'term') ~= ARGV[1] then return {'fenced'} end
local head = redis.call('LINDEX', KEYS[1], 0)
if not head then
  redis.call('ZREM', KEYS[2], ARGV[2])
  return {'empty'}
end
local id = string.match(head, '^%S+')
local stamp = redis.call('HGET', KEYS[3], id)
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
if ARGV[3] ~= '' and ARGV[3] ~= id then return {'gone'} end
if ARGV[3] == '' and tonumber(redis.call('ZSCORE', KEYS[2], ARGV[2]) or '0') > now then return {'later'} end
if not stamp or ARGV[3] ~= '' then redis.call('HSET', KEYS[3], id, ARGV[1] .. ':' .. now) end
return {'head', head, stamp or ''}
