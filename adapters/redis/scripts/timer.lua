-- A session's deadline, unless the session has moved on: its commit has set another one.
-- KEYS 1 snapshot 2 timers   ARGV 1 session 2 head 3 due or ''
if (redis.call('HGET', KEYS[1], 'head') or '0') ~= ARGV[2] then return 0 end
if ARGV[3] == '' then redis.call('ZREM', KEYS[2], ARGV[1]) else redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1]) end
return 1
