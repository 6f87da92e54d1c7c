-- A session's place is free again, unless it was taken later.
-- KEYS 1 reservations   ARGV 1 session 2 the latest time at which it was taken, or ''
local is = redis.call('TYPE', KEYS[1]).ok
if is ~= 'none' and is ~= 'hash' then
  return redis.error_reply('FOREIGN ' .. KEYS[1] .. ' holds a ' .. is .. ', not a hash')
end
local at = redis.call('HGET', KEYS[1], ARGV[1])
if not at or (ARGV[2] ~= '' and tonumber(at) > tonumber(ARGV[2])) then return 0 end
return redis.call('HDEL', KEYS[1], ARGV[1])
