-- KEYS: none of its own. ARGV: the moment since which nothing was lost, by a person's word. Reply: 0.
redis.call('SET', KEYS[1], ARGV[3])
return {told, 0}
