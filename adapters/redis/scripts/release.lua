-- KEYS 1 lease   ARGV 1 holder 2 term
local lease = redis.call('HMGET', KEYS[1], 'holder', 'term')
if lease[1] ~= ARGV[1] or lease[2] ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'holder', '', 'until', 0)
return 1
