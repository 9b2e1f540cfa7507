-- KEYS: epoch, key, fence. ARGV: the caller's now, the lease's end, the entry's life, the wait of an epoch.
-- Moments of the caller are 20 digits, which compare as texts. Reply: what, and the fence or the end.
local wait = since + ARGV[4] - now
if wait > 0 then
  return {'closed', fmt(wait)}
end
local held = redis.call('HMGET', KEYS[2], 'done', 'until')
if held[1] and not (held[2] < ARGV[1]) then
  return {held[1] == '1' and 'done' or 'held', held[2]}
end
local fence = math.max(tonumber(redis.call('GET', KEYS[3]) or '0') + 1, micros)
redis.call('SET', KEYS[3], fmt(fence))
redis.call('HSET', KEYS[2], 'fence', fmt(fence), 'done', '0', 'until', ARGV[2])
if ARGV[3] == '' then
  redis.call('PERSIST', KEYS[2])
else
  redis.call('PEXPIRE', KEYS[2], ARGV[3])
end
return {'fresh', fmt(fence)}
