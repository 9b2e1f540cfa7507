-- $1 id, or else $2 lane, $3 checkout_id, $4 reference; $5 the event's keys, $6 how long each is kept.
WITH known AS MATERIALIZED (
    SELECT bool_or(e.done) AS done FROM checkout.event e
    WHERE e.key = ANY ($5::text[]) AND (NOT e.done OR e.until >= checkout.now_ms())
), found AS MATERIALIZED (
    SELECT coalesce(
        (SELECT c.id FROM checkout.checkout c WHERE c.id = $1),
        (SELECT n.id FROM checkout.named n WHERE n.lane = $2 AND n.checkout_id = $3),
        (SELECT c.id FROM checkout.checkout c WHERE c.lane = $2 AND c.reference = $4)
    ) AS id
    FROM known WHERE known.done IS NULL
), c AS MATERIALIZED (
    SELECT c.id, c.lane, c.nudges, c.checkout_id
    FROM checkout.checkout c WHERE c.id = (SELECT id FROM found) FOR UPDATE
), go AS MATERIALIZED (
    SELECT c.*, checkout.now_ms() AS now FROM c
), noted AS (
    INSERT INTO checkout.event AS e (key, id, nudge, done, keep, until)
    SELECT k.key, go.id, go.nudges + 1, false, k.keep, go.now
    FROM go CROSS JOIN unnest($5::text[], $6::bigint[]) AS k (key, keep)
    ON CONFLICT (key) DO UPDATE
        SET id = excluded.id, nudge = excluded.nudge, done = false, keep = excluded.keep, until = excluded.until
        WHERE e.done AND e.until < excluded.until
    RETURNING e.key
), new AS MATERIALIZED (
    SELECT go.* FROM go WHERE cardinality($5::text[]) = 0 OR EXISTS (SELECT FROM noted)
), counted AS (
    UPDATE checkout.checkout x SET nudges = x.nudges + 1 FROM new WHERE x.id = new.id
        AND x.id = (SELECT id FROM found)
), work AS (
    INSERT INTO checkout.work AS w (id, lane, due, fence, tries, leased, urgent, named)
    SELECT new.id, new.lane, new.now, nextval('checkout.fence'), 0, false, true,
        CASE WHEN $3 IS DISTINCT FROM new.checkout_id THEN $3 END
    FROM new
    ON CONFLICT (id) DO UPDATE
        SET rev = w.rev + 1,
            due = CASE WHEN w.leased THEN w.due ELSE least(w.due, excluded.due) END,
            urgent = w.urgent OR NOT w.leased,
            named = coalesce(excluded.named, w.named)
), unmatched AS (
    INSERT INTO checkout.unmatched (lane, checkout_id, reference, seen_at)
    SELECT $2, $3, $4, checkout.now_ms()
    FROM found WHERE found.id IS NULL AND $1 IS NULL
    ON CONFLICT DO NOTHING
)
SELECT known.done, (SELECT id FROM found) AS found, (SELECT id FROM new) AS queued FROM known
