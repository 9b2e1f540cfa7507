-- KEYS: lane, the lane's wait. ARGV: place, requests, held, lease. Reply: 0 for a place, -1 for never, or the
-- wait.
local lane, place = KEYS[4], ARGV[3]
local requests, held, lease = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
if requests == 0 then
  return {told, -1}
end
-- A lease that was forgotten may have begun a moment before the epoch. The lane may have been asked to wait.
local over = tonumber(redis.call('GET', KEYS[5])) or now
local wait = math.max(since + lease + held, over) - now
local taken = redis.call('ZCARD', lane)
if taken >= requests then
  -- Places that are over are deleted where they would count.
  redis.call('ZREMRANGEBYSCORE', lane, '-inf', fmt(now))
  taken = redis.call('ZCARD', lane)
end
if taken >= requests then
  local free = redis.call('ZRANGE', lane, taken - requests, taken - requests, 'WITHSCORES')
  wait = math.max(wait, free[2] - now)
end
if wait > 0 then
  return {told, wait}
end
if redis.call('ZADD', lane, 'NX', fmt(now + lease + held), place) == 0 then
  local same = redis.call('ZSCORE', lane, place) - now
  if same > 0 then
    return {told, same}
  end
  redis.call('ZADD', lane, fmt(now + lease + held), place)
end
-- A key without a life is one that this script has made.
if taken == 0 then
  redis.call('PEXPIRE', lane, fmt(lease + held))
else
  redis.call('PEXPIRE', lane, fmt(lease + held), 'GT')
end
return {told, 0}
