-- Effects that were certainly not sent: nobody need look for them.
-- KEYS 1 lane 2 tried 3 lease   ARGV 1 term, then the effects
if redis.call('HGET', KEYS[3], 'term') ~= ARGV[1] then return {'fenced'} end
for i = 2, #ARGV do redis.call('HDEL', KEYS[2], ARGV[i]) end
return {'ok'}
