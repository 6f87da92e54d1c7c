-- Take or renew a lease. The key has no expiry of its own: the term must never start again. A lease that ends later
-- than any can was written before the clock was put back; its holder may be dead, and is fenced if not.
-- KEYS 1 lease   ARGV 1 holder 2 ms
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local lease = redis.call('HMGET', KEYS[1], 'holder', 'until', 'term')
if lease[1] ~= ARGV[1] then
  local left = (tonumber(lease[2] or '') or 0) - now
  if lease[1] and lease[1] ~= '' and left > 0 and left <= tonumber(ARGV[2]) then return false end
  lease[3] = tostring(tonumber(lease[3] or '0') + 1)
end
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'until', now + ARGV[2], 'term', lease[3])
return lease[3]
