-- Tokens from a bucket that all processes share. Answers how many, and ms until there is one more.
-- KEYS 1 bucket   ARGV 1 wanted 2 tokens a second 3 burst
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local rate, burst = tonumber(ARGV[2]), tonumber(ARGV[3])
local bucket = redis.call('HMGET', KEYS[1], 'tokens', 'at', 'pause')
local pause = tonumber(bucket[3] or '0')
if pause > now then return {0, pause - now} end
local passed = math.max(0, now - tonumber(bucket[2] or now))  -- a clock that was put back costs no tokens
local tokens = math.min(burst, tonumber(bucket[1] or burst) + passed * rate / 1000)
local given = math.max(0, math.min(tonumber(ARGV[1]), math.floor(tokens)))
tokens = tokens - given
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at', now)
redis.call('PEXPIRE', KEYS[1], math.ceil(burst / rate * 1000) + 60000)
local wait = 0
if tokens < 1 then wait = math.ceil((1 - tokens) * 1000 / rate) end
return {given, wait}
