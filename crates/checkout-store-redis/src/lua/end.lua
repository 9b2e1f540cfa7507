-- KEYS: the lanes. ARGV: of each place the number, and held; no held for a place without a request.
for i, lane in ipairs(KEYS) do
  local place, held = ARGV[2 * i - 1], ARGV[2 * i]
  if held == '' then
    redis.call('ZREM', lane, place)
  else
    redis.call('ZADD', lane, fmt(now + held), place)
    local last = redis.call('ZRANGE', lane, -1, -1, 'WITHSCORES')
    redis.call('PEXPIRE', lane, fmt(last[2] - now))
  end
end
return 0
