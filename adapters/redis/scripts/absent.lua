-- Forget a session's presence, unless a page was connected meanwhile.   KEYS 1 presence   ARGV 1 session 2 before
local seen = redis.call('ZSCORE', KEYS[1], ARGV[1])
if seen and tonumber(seen) <= tonumber(ARGV[2]) then redis.call('ZREM', KEYS[1], ARGV[1]) end
return 1
