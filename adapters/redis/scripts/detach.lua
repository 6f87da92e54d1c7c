-- Take a session that is not theirs off a customer's books.   KEYS 1 customer   ARGV 1 session
for _, name in ipairs({'open', 'last'}) do
  if redis.call('HGET', KEYS[1], name) == ARGV[1] then redis.call('HDEL', KEYS[1], name) end
end
return 1
