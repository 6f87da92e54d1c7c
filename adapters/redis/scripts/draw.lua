-- Tokens from a bucket that all processes share. Answers how many, and ms until there is one more.
-- Who asked in vain is remembered by rank for a moment: whoever comes behind it in line gets nothing until it was served.
-- With a bound for whichever span of time, the bucket keeps when the tokens of the last one were given.
-- KEYS 1 bucket   ARGV 1 wanted 2 tokens a second 3 burst 4 rank or '' 5 ms that the first in line is waited for
-- 6 the most, if there is such a bound, 7 in whichever so many ms

-- When the tokens of the span before now were given, the oldest first.
local function recent(kept, now, span)
  local times = {}
  for at in string.gmatch(kept or '', '%d+') do
    at = math.min(tonumber(at), now)  -- a clock that was put back keeps nobody waiting for longer
    if at > now - span then table.insert(times, at) end
  end
  return times
end

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local rate, burst, rank, most = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[6])
local span = tonumber(ARGV[7])
local bucket = redis.call('HMGET', KEYS[1], 'tokens', 'at', 'pause', 'first', 'until', 'given')
local pause = tonumber(bucket[3] or '0')
if pause > now then return {0, pause - now} end
local first = tonumber(bucket[5] or '0') > now and tonumber(bucket[4])
local passed = math.max(0, now - tonumber(bucket[2] or now))  -- a clock that was put back costs no tokens
local tokens = math.min(burst, tonumber(bucket[1] or burst) + passed * rate / 1000)
local times = most and recent(bucket[6], now, span) or {}
local free = math.max(0, math.min(math.floor(tokens), most and most - #times or tokens))
local behind = rank and first and first < rank
local given = behind and 0 or math.min(tonumber(ARGV[1]), free)
tokens = tokens - given
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at', now)
if most then
  for _ = 1, given do table.insert(times, now) end
  redis.call('HSET', KEYS[1], 'given', table.concat(times, ' '))
end
redis.call('PEXPIRE', KEYS[1], math.ceil(burst / rate * 1000) + 60000)
local wait = 0
if tokens < 1 then wait = math.ceil((1 - tokens) * 1000 / rate) end
if most and #times >= most then wait = math.max(wait, times[#times - most + 1] + span - now) end
if behind then return {0, math.max(wait, math.min(20, math.ceil(1000 / rate)))} end
if rank and given == 0 then
  redis.call('HSET', KEYS[1], 'first', ARGV[4], 'until', now + wait + tonumber(ARGV[5]))
elseif first and rank and rank <= first then
  redis.call('HDEL', KEYS[1], 'first', 'until')
end
return {given, wait}
