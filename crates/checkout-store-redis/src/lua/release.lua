-- KEYS: key. ARGV: fence. Reply: 1 for released, 0 for lost.
local held = redis.call('HMGET', KEYS[1], 'fence', 'done')
if held[1] == ARGV[1] and held[2] == '0' then
  redis.call('DEL', KEYS[1])
  return 1
end
return 0
