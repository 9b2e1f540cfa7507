-- KEYS: epoch, server. The server's run is another one than the one that was recorded: what was written
-- since its last copy is lost.
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
if redis.call('GET', KEYS[2]) ~= run then
  redis.call('SET', KEYS[1], fmt(now))
  redis.call('SET', KEYS[2], run)
end
return redis.status_reply('OK')
