-- What changed in a desk's list since a mark; the whole list when that cannot be told.
-- KEYS 1 desk 2 changed 3 marks   ARGV 1 mark
-- Answers the mark of now, 'whole' or 'part', then session and record ('' when it was taken off), session and record …
local marks = redis.call('HMGET', KEYS[3], 'last', 'floor')
local last, floor, mark = tonumber(marks[1] or '0'), tonumber(marks[2] or '0'), tonumber(ARGV[1])
local answer = {tostring(last), 'part'}
if mark < floor or mark > last then
  answer[2] = 'whole'
  for _, text in ipairs(redis.call('HGETALL', KEYS[1])) do answer[#answer + 1] = text end
  return answer
end
for _, session in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. ARGV[1], '+inf')) do
  answer[#answer + 1] = session
  answer[#answer + 1] = redis.call('HGET', KEYS[1], session) or ''
end
return answer
