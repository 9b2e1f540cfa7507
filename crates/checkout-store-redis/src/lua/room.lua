-- KEYS: epoch, lanes. ARGV: lease, then each lane's requests and held. Reply: each lane's places and wait.
local lease, reply = tonumber(ARGV[1]), {}
for i = 2, #KEYS do
  local requests, held = tonumber(ARGV[2 * i - 2]), tonumber(ARGV[2 * i - 1])
  local places, wait = 0, -1
  if requests > 0 then
    wait = math.max(since + lease + held - now, 0)
    local taken = redis.call('ZCOUNT', KEYS[i], '(' .. fmt(now), '+inf')
    if taken >= requests then
      local from = '(' .. fmt(now)
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
