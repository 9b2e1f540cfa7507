-- KEYS: the lanes, and the waits of the lanes. ARGV: lease, then each lane's requests and held. Reply: each
-- lane's places and wait.
local lanes = (#KEYS - 3) / 2
local waits = redis.call('MGET', unpack(KEYS, 4 + lanes))
local lease, reply, from = tonumber(ARGV[3]), {}, '(' .. fmt(now)
for i = 1, lanes do
  local lane, requests, held = KEYS[i + 3], tonumber(ARGV[2 * i + 2]), tonumber(ARGV[2 * i + 3])
  local places, wait = 0, -1
  if requests > 0 then
    wait = math.max(since + lease + held, tonumber(waits[i]) or now, now) - now
    -- Most lanes have no place taken, and are looked at once.
    local taken = redis.call('ZCARD', lane)
    if taken > 0 then
      taken = redis.call('ZCOUNT', lane, from, '+inf')
    end
    if taken >= requests then
      local free = redis.call(
        'ZRANGEBYSCORE', lane, from, '+inf', 'WITHSCORES', 'LIMIT', taken - requests, 1)
      wait = math.max(wait, free[2] - now)
    elseif wait == 0 then
      places = requests - taken
    end
  end
  reply[#reply + 1] = places
  reply[#reply + 1] = wait
end
return {told, reply}
