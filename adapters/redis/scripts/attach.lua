-- Make a session the account's open one, unless another is. KEYS 1 customer 2 sessions   ARGV 1 session 2 closed one
local open = redis.call('HGET', KEYS[1], 'open')
if open and open ~= ARGV[1] and open ~= ARGV[2] then return 0 end
if open ~= ARGV[1] then redis.call('RPUSH', KEYS[2], ARGV[1]) end
redis.call('HSET', KEYS[1], 'open', ARGV[1], 'last', ARGV[1])
return 1
