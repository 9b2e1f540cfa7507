-- KEYS: epoch, lanes. ARGV: lease, then each lane's requests and held. Reply: each lane's places and wait.
local lease, reply, from = tonumber(ARGV[1]), {}, '(' .. fmt(now)
for i = 2, #KEYS do
  local requests, held = tonumber(ARGV[2 * i - 2]), tonumber(ARGV[2 * i - 1])
  local places, wait = 0, -1
  if requests > 0 then
    wait = math.max(since + lease + held - now, 0)
    -- Most lanes have no place taken, and are looked at once.
    local taken = redis.call('ZCARD', KEYS[i])
    if taken > 0 then
      taken = redis.call('ZCOUNT', KEYS[i], from, '+inf')
    end
    if taken >= requests then
      local free = redis.call(
        'ZRANGEBYSCORE', KEYS[i], from, '+inf', 'WITHSCORES', 'LIMIT', taken - requests, 1)
      wait = math.max(wait, free[2] - now)
    elseif wait == 0 then
      places = requests - taken
    end
  end
  reply[#reply + 1] = places
  reply[#reply + 1] = wait
end
return reply
