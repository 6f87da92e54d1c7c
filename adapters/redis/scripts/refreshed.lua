-- The view shows the session as of `head`; when it has moved on since, the marker stays.
-- KEYS 1 snapshot 2 stale   ARGV 1 session 2 head 3 due of the next look
if redis.call('HGET', KEYS[1], 'head') == ARGV[2] then redis.call('ZREM', KEYS[2], ARGV[1])
else redis.call('ZADD', KEYS[2], 'XX', ARGV[3], ARGV[1]) end
return 1
