-- KEYS[1]: the moment since which nothing was lost. A clock that was put back begins a new epoch.
local since = tonumber(redis.call('GET', KEYS[1]))
if not since or since > now then
  since = now
  redis.call('SET', KEYS[1], fmt(now))
end
