-- $1 lanes, the one that waits longest first; $2 the due from which to look in each; $3 at most; $4 lease;
-- $5 the claims without a write that make work suspect.
--
-- Lanes and work are locked by SKIP LOCKED: a claim waits for nobody. The work is chosen as the snapshot
-- shows the rows, and is taken only if rev and fence are still the same under the lock. Each transaction that
-- changes a checkout changes rev as well, so the snapshot's checkout is the latest one.
--
-- The places of a lane are counted by expressions over its row, in the condition and in the answer: such an
-- expression sees the row under the lock. A joined count would stay the snapshot's.
WITH t AS MATERIALIZED (
    SELECT checkout.now_ms() AS now
), asked AS MATERIALIZED (
    SELECT a.lane, a.n, first.start, regular.due AS regular, least(urgent.due, regular.due) AS due,
        CASE WHEN regular.due IS NULL OR (urgent.due, urgent.id) < (regular.due, regular.id)
            THEN urgent.tries ELSE regular.tries END >= $5 AS suspect
    FROM t CROSS JOIN unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS a (lane, start, n)
    CROSS JOIN LATERAL (
        SELECT CASE WHEN a.start > t.now THEN -9223372036854775808 ELSE a.start END AS start
    ) first
    LEFT JOIN LATERAL (
        SELECT w.due, w.id, w.tries FROM checkout.work w WHERE w.lane = a.lane AND w.urgent
        ORDER BY w.due, w.id LIMIT 1
    ) urgent ON true
    LEFT JOIN LATERAL (
        SELECT w.due, w.id, w.tries FROM checkout.work w
        WHERE w.lane = a.lane AND NOT w.urgent AND w.due >= first.start
        ORDER BY w.due, w.id LIMIT 1
    ) regular ON true
), first AS MATERIALIZED (
    SELECT a.lane, a.n, a.start, a.suspect, l.span, l.room, t.now
    FROM t CROSS JOIN asked a CROSS JOIN LATERAL (
        SELECT l.span, coalesce(l.requests - (
            SELECT count(*) FROM jsonb_each_text(l.taken) p WHERE p.value::bigint > t.now
        ), $3) AS room
        FROM checkout.lane l
        WHERE l.name = a.lane AND coalesce(l.wait_until <= t.now, true) AND coalesce(l.requests > (
            SELECT count(*) FROM jsonb_each_text(l.taken) p WHERE p.value::bigint > t.now
        ), true)
        FOR UPDATE OF l SKIP LOCKED
    ) l
    WHERE a.due <= t.now
    LIMIT least($3, 1)
), locked AS MATERIALIZED (
    SELECT f.* FROM first f
    UNION ALL
    -- A lane whose first work is suspect gives nothing to a claim that has other work.
    (SELECT a.lane, a.n, a.start, a.suspect, l.span, l.room, t.now
    FROM first f CROSS JOIN t CROSS JOIN asked a CROSS JOIN LATERAL (
        SELECT l.span, coalesce(l.requests - (
            SELECT count(*) FROM jsonb_each_text(l.taken) p WHERE p.value::bigint > t.now
        ), $3) AS room
        FROM checkout.lane l
        WHERE l.name = a.lane AND coalesce(l.wait_until <= t.now, true) AND coalesce(l.requests > (
            SELECT count(*) FROM jsonb_each_text(l.taken) p WHERE p.value::bigint > t.now
        ), true)
        FOR UPDATE OF l SKIP LOCKED
    ) l
    WHERE a.due <= t.now AND a.n > f.n AND NOT a.suspect AND NOT f.suspect
    LIMIT greatest($3 - 1, 0))
), seen AS MATERIALIZED (
    SELECT k.lane, k.n, w.id, w.rev, w.fence, w.tries >= $5 AS suspect, k.now - w.due AS late,
        row_number() OVER lane AS turn, bool_or(w.tries >= $5) OVER lane AS stopped
    FROM locked k CROSS JOIN LATERAL (
        SELECT * FROM (
            (SELECT w.due, w.id, w.rev, w.fence, w.tries FROM checkout.work w
             WHERE w.lane = k.lane AND w.urgent AND w.due <= k.now
             ORDER BY w.due, w.id LIMIT least(k.room, $3))
            UNION ALL
            (SELECT w.due, w.id, w.rev, w.fence, w.tries FROM checkout.work w
             WHERE w.lane = k.lane AND NOT w.urgent AND w.due BETWEEN k.start AND k.now
             ORDER BY w.due, w.id LIMIT least(k.room, $3))
        ) u
        ORDER BY u.due, u.id LIMIT least(k.room, $3)
    ) w
    WINDOW lane AS (PARTITION BY k.n ORDER BY w.due, w.id)
), head AS MATERIALIZED (
    SELECT s.id, s.suspect FROM seen s ORDER BY s.turn, s.n LIMIT 1
), held AS MATERIALIZED (
    SELECT s.* FROM (
        SELECT s.* FROM seen s CROSS JOIN head h
        WHERE CASE WHEN h.suspect THEN s.id = h.id ELSE NOT s.stopped END
        ORDER BY s.turn, s.n LIMIT $3
    ) s CROSS JOIN LATERAL (
        SELECT FROM checkout.work w WHERE w.id = s.id AND w.rev = s.rev AND w.fence = s.fence
        FOR UPDATE SKIP LOCKED
    ) w
), numbered AS MATERIALIZED (
    SELECT h.*, nextval('checkout.fence') AS number FROM (SELECT * FROM held ORDER BY turn, n) h
), leased AS (
    UPDATE checkout.work w
    SET due = t.now + $4, fence = h.number, rev = w.rev + 1, tries = w.tries + 1, leased = true, urgent = false
    FROM numbered h, t
    WHERE w.id = h.id AND w.id = ANY (ARRAY(SELECT id FROM numbered))
    RETURNING w.id, w.lane, w.due, w.fence, w.tries, w.named, h.n, h.late
), places AS MATERIALIZED (
    SELECT s.n, s.lane, min(s.due) AS due, array_agg(s.id) AS ids,
        jsonb_object_agg(s.fence::text, s.due + k.span) FILTER (WHERE k.span IS NOT NULL) AS taken
    FROM leased s JOIN locked k ON k.n = s.n GROUP BY s.n, s.lane
), placed AS (
    UPDATE checkout.lane l
    SET taken = p.taken || coalesce((SELECT jsonb_object_agg(old.key, old.value)
        FROM jsonb_each(l.taken) old WHERE old.value::bigint > t.now), '{}')
    FROM places p, t
    WHERE l.name = p.lane AND l.name = ANY (ARRAY(SELECT lane FROM places)) AND p.taken IS NOT NULL
), ends AS MATERIALIZED (
    SELECT greatest(rest.due, l.wait_until, l.free, t.now) AS at
    FROM t CROSS JOIN asked a
    LEFT JOIN places p ON p.n = a.n
    CROSS JOIN LATERAL (
        SELECT CASE WHEN p.n IS NULL THEN a.due ELSE least(p.due, (
            SELECT w.due FROM checkout.work w
            WHERE w.lane = a.lane AND w.urgent AND w.id <> ALL (p.ids)
            ORDER BY w.due, w.id LIMIT 1
        ), (
            SELECT w.due FROM checkout.work w
            WHERE w.lane = a.lane AND NOT w.urgent AND w.due >= a.start AND w.id <> ALL (p.ids)
            ORDER BY w.due, w.id LIMIT 1
        )) END AS due
    ) rest
    CROSS JOIN LATERAL (
        SELECT l.wait_until, CASE WHEN l.requests <= 0 THEN 9223372036854775807 ELSE (
            SELECT free.until FROM (
                SELECT x.value::bigint AS until, count(*) OVER () AS places
                FROM jsonb_each_text(l.taken || coalesce(p.taken, '{}')) x WHERE x.value::bigint > t.now
            ) free
            WHERE free.places >= l.requests
            ORDER BY free.until OFFSET greatest(0, (
                SELECT count(*) FROM jsonb_each_text(l.taken || coalesce(p.taken, '{}')) x
                WHERE x.value::bigint > t.now
            ) - l.requests) LIMIT 1
        ) END AS free
        FROM checkout.lane l WHERE l.name = a.lane OFFSET 0
    ) l
    WHERE rest.due IS NOT NULL
), answer AS MATERIALIZED (
    SELECT t.now,
        coalesce((SELECT e.at FROM ends e WHERE e.at <= t.now LIMIT 1), (SELECT min(e.at) FROM ends e)) AS next,
        EXISTS (SELECT FROM checkout.news n WHERE n.due <= t.now) AS news
    FROM t
)
SELECT answer.now, answer.next, answer.news, due.*
FROM answer LEFT JOIN (
    SELECT s.lane, s.fence, s.tries, s.named, s.late, a.regular, c.*
    FROM leased s JOIN asked a ON a.n = s.n CROSS JOIN LATERAL (
        SELECT c.nudges, c.nudges > c.answered AS nudged, c.watch,
            c.id, c.provider, c.merchant, c.environment, c.state, c.reference, c.checkout_id, c.page, c.hold,
            c.notes, c.version, c.created_at, c.changed_at
        FROM checkout.checkout c WHERE c.id = s.id OFFSET 0
    ) c
) due ON true
ORDER BY due.fence
