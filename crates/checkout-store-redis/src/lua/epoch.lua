-- KEYS: epoch, sure, history, and the script's own. ARGV: the term that the caller knows, empty before its
-- first answer, the milliseconds since the caller's last call, and the script's own. The reply begins with
-- the term, empty where the caller knows it.
--
-- A term is a stretch of time in which these data lost nothing. Its name begins with the replication id of
-- the server, which is new after each start of a server that takes writes, and after each take-over, and with
-- the number of keys that the server has evicted. The history has the terms that led to these data, the last
-- first. Since the epoch nothing is missing.
local kept = redis.call('MGET', KEYS[1], KEYS[2])
local since, term = tonumber(kept[1]), kept[2]
if term ~= ARGV[1] then
  local info = redis.call('INFO', 'replication', 'memory', 'stats')
  if string.match(info, 'maxmemory_policy:(%w+)') ~= 'noeviction' then
    -- Nothing is known of a server that evicts keys, also once it has stopped to do so.
    redis.call('DEL', KEYS[2], KEYS[3])
    return redis.error_reply('EVICTS keys')
  end
  local id = string.match(info, 'master_replid:(%w+)') .. '-' .. string.match(info, 'evicted_keys:(%d+)')
  term = redis.call('LINDEX', KEYS[3], 0)
  local lost = not term or string.match(term, '^[%w-]+') ~= id
  if ARGV[1] ~= '' and ARGV[1] ~= term then
    if redis.call('LPOS', KEYS[3], ARGV[1]) then
      -- The caller's own writes elsewhere are missing here, up to its last call.
      since = math.max(since or now, now - ARGV[2])
      redis.call('SET', KEYS[1], fmt(since))
    else
      -- The caller comes from a server of which these data know nothing.
      lost = true
    end
  end
  if lost then
    local t = redis.call('TIME')
    term = id .. ':' .. fmt(t[1] * 1000000 + t[2])
    redis.call('LPUSH', KEYS[3], ARGV[1], term)
    redis.call('LTRIM', KEYS[3], 0, 99)
    since = nil
  end
  -- For a moment the server need not be looked at. No other server is told.
  redis.set_repl(redis.REPL_NONE)
  redis.call('SET', KEYS[2], term, 'PX', 100)
  redis.set_repl(redis.REPL_ALL)
end
-- A clock that was put back begins a new epoch.
if not since or since > now then
  since = now
  redis.call('SET', KEYS[1], fmt(now))
end
local told = term == ARGV[1] and '' or term
