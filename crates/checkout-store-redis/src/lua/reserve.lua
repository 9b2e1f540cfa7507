-- KEYS: epoch, lane. ARGV: place, requests, held, lease. Reply: 0 for a place, -1 for never, or the wait.
local requests, held, lease = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
if requests == 0 then
  return -1
end
-- A lease that was forgotten may have begun a moment before the epoch.
if since + lease + held > now then
  return since + lease + held - now
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', fmt(now))
local same = redis.call('ZSCORE', KEYS[2], ARGV[1])
if same then
  return same - now
end
local taken = redis.call('ZCARD', KEYS[2])
if taken >= requests then
  local free = redis.call('ZRANGE', KEYS[2], taken - requests, taken - requests, 'WITHSCORES')
  return free[2] - now
end
redis.call('ZADD', KEYS[2], fmt(now + lease + held), ARGV[1])
local last = redis.call('ZRANGE', KEYS[2], -1, -1, 'WITHSCORES')
redis.call('PEXPIRE', KEYS[2], fmt(last[2] - now))
return 0
