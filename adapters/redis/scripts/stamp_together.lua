-- The first effects of a lane, stamped together: they are about to be sent as one. All of them, or none.
-- KEYS 1 lane 2 tried 3 lease   ARGV 1 term 2 '1' when they bear our stamps already, then the effects
if redis.call('HGET', KEYS[3], 'term') ~= ARGV[1] then return {'fenced'} end
local items = redis.call('LRANGE', KEYS[1], 0, #ARGV - 3)
for i = 3, #ARGV do
  local item = items[i - 2]
  if not item or string.match(item, '^%S+') ~= ARGV[i] then return {'gone'} end
  if i > 3 and ARGV[2] ~= '1' and redis.call('HEXISTS', KEYS[2], ARGV[i]) == 1 then return {'tried'} end
end
local clock = redis.call('TIME')
local stamp = ARGV[1] .. ':' .. (clock[1] * 1000 + math.floor(clock[2] / 1000))
for i = 3, #ARGV do redis.call('HSET', KEYS[2], ARGV[i], stamp) end
return {'stamped'}
