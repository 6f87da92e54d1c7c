-- A desk's line, unless a newer one is there; and that it has changed, for `news`.
-- KEYS 1 desk 2 changed 3 marks   ARGV 1 session 2 head 3 record, or '' to take it off 4 changes to keep
local types = {'hash', 'zset', 'hash'}
for i, key in ipairs(KEYS) do
  local is = redis.call('TYPE', key).ok
  if is ~= 'none' and is ~= types[i] then
    return redis.error_reply('FOREIGN ' .. key .. ' holds a ' .. is .. ', not a ' .. types[i])
  end
end
local old = redis.call('HGET', KEYS[1], ARGV[1])
if old and tonumber(string.match(old, '^%d+')) > tonumber(ARGV[2]) then return 0 end
if ARGV[3] == '' then
  if not old then return 0 end
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. ARGV[3])
end
redis.call('ZADD', KEYS[2], redis.call('HINCRBY', KEYS[3], 'last', 1), ARGV[1])
local over = redis.call('ZCARD', KEYS[2]) - tonumber(ARGV[4])
if over > 0 then
  local forgotten = redis.call('ZPOPMIN', KEYS[2], over)
  redis.call('HSET', KEYS[3], 'floor', forgotten[#forgotten])
end
return 1
