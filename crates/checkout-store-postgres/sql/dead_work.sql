-- The dead rows of the work, the living ones as they were counted last, and if this role may vacuum the table.
SELECT pg_stat_get_dead_tuples(c.oid) AS dead, greatest(c.reltuples, 0)::bigint AS living,
    pg_has_role(c.relowner, 'USAGE') AS may
FROM pg_class c WHERE c.oid = 'checkout.work'::regclass
