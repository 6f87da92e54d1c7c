-- A person gives an effect up: the head of a lane, or one that was set aside.
-- KEYS 1 lane 2 busy 3 tried 4 aside 5 errors   ARGV 1 effect id 2 session
if redis.call('HDEL', KEYS[4], ARGV[1]) == 1 then return 1 end
local head = redis.call('LINDEX', KEYS[1], 0)
if not head or string.match(head, '^%S+') ~= ARGV[1] then return 0 end
redis.call('LPOP', KEYS[1])
redis.call('HDEL', KEYS[3], ARGV[1])
redis.call('HDEL', KEYS[5], ARGV[2])
if redis.call('LLEN', KEYS[1]) == 0 then redis.call('ZREM', KEYS[2], ARGV[2])
else redis.call('ZADD', KEYS[2], 0, ARGV[2]) end
return 1
