-- $1 id; $2 fence; $3 nudges of the lease; $4 is there a row to write: $5 state, $6 checkout_id, $7 page,
-- $8 hold, $9 notes; $10 keep, due, back or ended: $11 after, $12 watch; $13 none, sent or answered;
-- $14 wait of the lane; $15 to $18 news: keys, ids, subjects, reasons; $19 the span
-- below which work is urgent.
WITH c AS MATERIALIZED (
    SELECT c.id, c.nudges, c.checkout_id FROM checkout.checkout c WHERE c.id = $1 FOR UPDATE
), w AS MATERIALIZED (
    SELECT w.id, w.lane, c.checkout_id AS old, c.nudges > $3 AS again, $10 = 'ended' AND c.nudges <= $3 AS over, checkout.now_ms() AS now
    FROM c JOIN checkout.work w ON w.id = c.id
    WHERE w.id = $1 AND w.fence = $2 AND w.leased
    FOR UPDATE OF w
), kept AS (
    UPDATE checkout.checkout x
    SET state = CASE WHEN $4 THEN $5 ELSE x.state END,
        checkout_id = CASE WHEN $4 THEN $6 ELSE x.checkout_id END,
        page = CASE WHEN $4 THEN $7 ELSE x.page END,
        hold = CASE WHEN $4 THEN $8 ELSE x.hold END,
        notes = CASE WHEN $4 THEN $9 ELSE x.notes END,
        version = x.version + $4::int,
        changed_at = CASE WHEN $4 THEN w.now ELSE x.changed_at END,
        watch = CASE WHEN $10 IN ('keep', 'back') THEN x.watch ELSE $12 END,
        answered = CASE WHEN $13 = 'answered' THEN greatest(x.answered, $3) ELSE x.answered END
    FROM w
    WHERE x.id = $1 AND x.id = w.id
        AND ($4 OR ($10 NOT IN ('keep', 'back') AND x.watch <> $12) OR ($13 = 'answered' AND x.answered < $3))
), named AS (
    INSERT INTO checkout.named AS n (lane, checkout_id, id)
    SELECT w.lane, $6, w.id FROM w WHERE $4 AND $6 IS NOT NULL
    ON CONFLICT (lane, checkout_id) DO UPDATE SET id = excluded.id WHERE n.id <> excluded.id
), unnamed AS (
    DELETE FROM checkout.named n USING w
    WHERE n.lane = w.lane AND n.checkout_id = w.old AND n.id = w.id AND $4 AND w.old IS DISTINCT FROM $6
), events AS (
    UPDATE checkout.event e SET done = true, until = w.now + e.keep
    FROM w WHERE e.id = $1 AND NOT e.done AND e.nudge <= $3 AND $13 = 'answered'
), ended AS (
    DELETE FROM checkout.work x USING w WHERE x.id = $1 AND w.over
), next AS (
    UPDATE checkout.work x
    SET rev = x.rev + 1,
        due = CASE WHEN $10 = 'keep' THEN x.due WHEN w.again THEN w.now ELSE w.now + $11 END,
        leased = x.leased AND $10 = 'keep',
        urgent = CASE WHEN $10 = 'keep' THEN x.urgent ELSE w.again OR $11 < $19 END,
        tries = CASE $10 WHEN 'keep' THEN x.tries WHEN 'back' THEN greatest(x.tries - 1, 0) ELSE 0 END,
        named = CASE WHEN $10 IN ('keep', 'back') OR w.again THEN x.named END
    FROM w WHERE x.id = $1 AND NOT w.over
), lane AS (
    UPDATE checkout.lane l
    SET taken = CASE
            WHEN $10 = 'keep' OR l.requests IS NULL OR NOT l.taken ? $2::text THEN l.taken
            WHEN $13 = 'none' THEN l.taken - $2::text
            ELSE l.taken || jsonb_build_object($2::text, w.now + l.span)
        END,
        wait_until = greatest(l.wait_until, w.now + $14)
    FROM w
    WHERE l.name = w.lane
        AND ($14 IS NOT NULL OR ($10 <> 'keep' AND l.requests IS NOT NULL AND l.taken ? $2::text))
), news AS (
    INSERT INTO checkout.news (key, id, subject, reason, due)
    SELECT n.key, n.id, n.subject, n.reason, w.now
    FROM w CROSS JOIN unnest($15::text[], $16::text[], $17::text[], $18::text[]) AS n (key, id, subject, reason)
    ORDER BY n.key
    ON CONFLICT (key) DO NOTHING
)
SELECT EXISTS (SELECT FROM w) AS done
