-- KEYS: wait. ARGV: span. The key outlives the wait by a minute: the moment decides.
local over = now + ARGV[1]
if over > (tonumber(redis.call('GET', KEYS[1])) or now) then
  redis.call('SET', KEYS[1], fmt(over), 'PX', fmt(ARGV[1] + 60000))
end
return 0
