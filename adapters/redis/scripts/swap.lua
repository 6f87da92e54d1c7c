-- A lasting value, if it still is as it was read; or is already as it shall be, for who asks again after a lost answer.
-- KEYS 1 book   ARGV 1 name 2 '' for none, or '=' and the value before 3 '' for none, or '=' and the value after
local is = redis.call('TYPE', KEYS[1]).ok
if is ~= 'none' and is ~= 'hash' then
  return redis.error_reply('FOREIGN ' .. KEYS[1] .. ' holds a ' .. is .. ', not a hash')
end
local old = redis.call('HGET', KEYS[1], ARGV[1])
old = old and '=' .. old or ''
if old ~= ARGV[2] then return old == ARGV[3] and 1 or 0 end
if ARGV[3] == '' then redis.call('HDEL', KEYS[1], ARGV[1])
else redis.call('HSET', KEYS[1], ARGV[1], string.sub(ARGV[3], 2)) end
return 1
