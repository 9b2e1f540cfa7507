-- KEYS: the lanes. ARGV: of each place the number, held, and GT for a place that is not held shorter than before;
-- no held for a place without a request.
for i, lane in ipairs(KEYS) do
  local place, held, longer = ARGV[3 * i - 2], ARGV[3 * i - 1], ARGV[3 * i]
  if held == '' then
    redis.call('ZREM', lane, place)
  else
    local over = fmt(now + held)
    -- A place that is over sooner than before does not outlive its key.
    if longer ~= '' or redis.call('ZADD', lane, 'XX', 'LT', 'CH', over, place) == 0 then
      if longer == '' then
        redis.call('ZADD', lane, over, place)
      else
        redis.call('ZADD', lane, longer, over, place)
      end
      local last = redis.call('ZRANGE', lane, -1, -1, 'WITHSCORES')
      redis.call('PEXPIRE', lane, fmt(last[2] - now))
    end
  end
end
return 0
