-- The lane waits; with no error, for the next holder only. What was certainly not done loses its stamp, so that nobody looks for it in vain.
-- KEYS 1 lane 2 busy 3 tried 4 lease 5 errors   ARGV 1 term 2 session 3 due 4 error 5 '1' when certainly not done
if redis.call('HGET', KEYS[4], 'term') ~= ARGV[1] then return {'fenced'} end
local head = redis.call('LINDEX', KEYS[1], 0)
if not head then return {'empty'} end
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[2])
if ARGV[4] == '' then
  if ARGV[5] == '1' then redis.call('HDEL', KEYS[3], string.match(head, '^%S+')) end
  return {'ok'}
end
local attempts = string.match(redis.call('HGET', KEYS[5], ARGV[2]) or '0', '^%d+')
redis.call('HSET', KEYS[5], ARGV[2], (attempts + 1) .. ' ' .. ARGV[4])
if ARGV[5] == '1' then redis.call('HDEL', KEYS[3], string.match(head, '^%S+')) end
return {'ok'}
