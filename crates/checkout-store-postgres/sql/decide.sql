-- The row of $1 is locked. $1 id; $2 version; $3 state; $4 checkout_id; $5 page; $6 hold; $7 notes; $8 is
-- there work; $9 to $12 news: keys, ids, subjects, reasons; $13 act; $14 by; $15 reason. A nudge that waits
-- for a read is work in any case, and the id that an event named stays.
WITH old AS MATERIALIZED (
    SELECT c.checkout_id FROM checkout.checkout c WHERE c.id = $1
), w AS (
    UPDATE checkout.checkout c
    SET state = $3, checkout_id = $4, page = $5, hold = $6, notes = $7, version = c.version + 1,
        changed_at = checkout.now_ms()
    WHERE c.id = $1 AND c.version = $2
    RETURNING c.id, c.lane, c.changed_at AS now, $8 OR c.nudges > c.answered AS work
), named AS (
    INSERT INTO checkout.named AS n (lane, checkout_id, id)
    SELECT w.lane, $4, w.id FROM w WHERE $4 IS NOT NULL
    ON CONFLICT (lane, checkout_id) DO UPDATE SET id = excluded.id WHERE n.id <> excluded.id
), unnamed AS (
    DELETE FROM checkout.named n USING w, old
    WHERE n.lane = w.lane AND n.checkout_id = old.checkout_id AND n.id = w.id
        AND old.checkout_id IS DISTINCT FROM $4
), ended AS (
    DELETE FROM checkout.work x USING w WHERE x.id = w.id AND x.id = $1 AND NOT w.work
), work AS (
    INSERT INTO checkout.work AS x (id, lane, due, fence, tries, leased, urgent)
    SELECT w.id, w.lane, w.now, nextval('checkout.fence'), 0, false, true FROM w WHERE w.work
    ON CONFLICT (id) DO UPDATE
        SET due = excluded.due, fence = excluded.fence, rev = x.rev + 1, tries = 0, leased = false, urgent = true
), news AS (
    INSERT INTO checkout.news (key, id, subject, reason, due)
    SELECT n.key, n.id, n.subject, n.reason, w.now
    FROM w CROSS JOIN unnest($9::text[], $10::text[], $11::text[], $12::text[]) AS n (key, id, subject, reason)
    ORDER BY n.key
    ON CONFLICT (key) DO NOTHING
), noted AS (
    INSERT INTO checkout.decision (id, at, act, by, reason) SELECT w.id, w.now, $13, $14, $15 FROM w
)
SELECT EXISTS (SELECT FROM w) AS done
