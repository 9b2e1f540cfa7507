-- The dead rows of the work, and the age of the oldest transaction that keeps them: one with a snapshot, or one that
-- has written, or one that is prepared. Null for a role that does not see the transactions of others. Vacuum keeps no
-- rows.
SELECT pg_stat_get_dead_tuples('checkout.work'::regclass) AS dead_rows,
    CASE WHEN pg_has_role('pg_read_all_stats', 'USAGE') THEN (
        SELECT coalesce(max(greatest(0, floor(extract(epoch FROM clock_timestamp() - t.start) * 1000))), 0)::bigint
        FROM (
            SELECT a.xact_start AS start FROM pg_stat_activity a
            WHERE (a.backend_xmin IS NOT NULL OR a.backend_xid IS NOT NULL) AND a.datname = current_database()
                AND a.pid <> pg_backend_pid() AND NOT EXISTS (SELECT FROM pg_stat_progress_vacuum v WHERE v.pid = a.pid)
            UNION ALL
            SELECT p.prepared FROM pg_prepared_xacts p WHERE p.database = current_database()
        ) t
    ) END AS oldest_transaction
