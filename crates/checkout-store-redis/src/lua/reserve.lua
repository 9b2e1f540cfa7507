-- KEYS: epoch, lane. ARGV: place, requests, held, lease. Reply: 0 for a place, -1 for never, or the wait.
local requests, held, lease = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
if requests == 0 then
  return -1
end
-- A lease that was forgotten may have begun a moment before the epoch.
if since + lease + held > now then
  return since + lease + held - now
end
local taken = redis.call('ZCARD', KEYS[2])
if taken >= requests then
  -- Places that are over are deleted where they would count.
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', fmt(now))
  taken = redis.call('ZCARD', KEYS[2])
end
if taken >= requests then
  local free = redis.call('ZRANGE', KEYS[2], taken - requests, taken - requests, 'WITHSCORES')
  return free[2] - now
end
if redis.call('ZADD', KEYS[2], 'NX', fmt(now + lease + held), ARGV[1]) == 0 then
  local same = redis.call('ZSCORE', KEYS[2], ARGV[1]) - now
  if same > 0 then
    return same
  end
  redis.call('ZADD', KEYS[2], fmt(now + lease + held), ARGV[1])
end
-- A key without a life is one that this script has made.
if redis.call('PEXPIRE', KEYS[2], fmt(lease + held), 'GT') == 0 and taken == 0 then
  redis.call('PEXPIRE', KEYS[2], fmt(lease + held))
end
return 0
