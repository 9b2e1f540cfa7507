-- KEYS: the lanes, and the waits of the lanes. ARGV: of each place the number, requests, held, and lease. Reply: of
-- each place 0 for a place, -1 for never, or the wait.
local places, reply = (#KEYS - 3) / 2, {}
local waits = redis.call('MGET', unpack(KEYS, 4 + places))
for i = 1, places do
  local lane, place, requests = KEYS[i + 3], ARGV[4 * i - 1], tonumber(ARGV[4 * i])
  local held, lease = tonumber(ARGV[4 * i + 1]), tonumber(ARGV[4 * i + 2])
  local wait = -1
  if requests > 0 then
    -- A lease that was forgotten may have begun a moment before the epoch. The lane may have been asked to wait.
    wait = math.max(since + lease + held, tonumber(waits[i]) or now, now) - now
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
    local over, life = fmt(now + lease + held), fmt(lease + held)
    if wait == 0 then
      if redis.call('ZADD', lane, 'NX', over, place) == 0 then
        wait = math.max(redis.call('ZSCORE', lane, place) - now, 0)
        if wait == 0 then
          redis.call('ZADD', lane, over, place)
        end
      end
      -- A key without a life is one that this script has made.
      if taken == 0 then
        redis.call('PEXPIRE', lane, life)
      else
        redis.call('PEXPIRE', lane, life, 'GT')
      end
    end
  end
  reply[i] = wait
end
return {told, reply}
