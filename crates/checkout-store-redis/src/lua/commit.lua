-- KEYS: key. ARGV: fence, the retention's end, the entry's life. Reply: 1 for committed, 0 for lost.
local held = redis.call('HMGET', KEYS[1], 'fence', 'done', 'until')
if held[1] and held[1] ~= ARGV[1] then
  return 0
end
local kept = ARGV[2]
if held[1] and held[3] > kept then
  kept = held[3]
end
local life = redis.call('PTTL', KEYS[1])
redis.call('HSET', KEYS[1], 'fence', ARGV[1], 'done', '1', 'until', kept)
if ARGV[3] == '' then
  redis.call('PERSIST', KEYS[1])
elseif life ~= -1 and life < tonumber(ARGV[3]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return 1
