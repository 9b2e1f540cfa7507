-- KEYS: key, fence. ARGV: the caller's now, the lease's end, the entry's life, the wait of an epoch.
-- Moments of the caller are 20 digits, which compare as texts. Reply: what, and the fence or the end.
local wait = since + ARGV[6] - now
if wait > 0 then
  return {told, {'closed', fmt(wait)}}
end
local held = redis.call('HMGET', KEYS[4], 'done', 'until')
if held[1] and not (held[2] < ARGV[3]) then
  return {told, {held[1] == '1' and 'done' or 'held', held[2]}}
end
local fence = math.max(tonumber(redis.call('GET', KEYS[5]) or '0') + 1, micros)
redis.call('SET', KEYS[5], fmt(fence))
redis.call('HSET', KEYS[4], 'fence', fmt(fence), 'done', '0', 'until', ARGV[4])
if ARGV[5] == '' then
  redis.call('PERSIST', KEYS[4])
else
  redis.call('PEXPIRE', KEYS[4], ARGV[5])
end
return {told, {'fresh', fmt(fence)}}
