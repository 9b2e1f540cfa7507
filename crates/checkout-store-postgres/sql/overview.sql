-- $1 state; $2 held alone; $3 after; $4 at most; $5 this one alone.
SELECT c.id, c.provider, c.merchant, c.environment, c.state, c.reference, c.checkout_id, c.page, c.hold,
    c.notes, c.version, c.created_at, c.changed_at, c.nudges > c.answered AS nudged, w.due,
    coalesce(w.leased AND w.due > checkout.now_ms(), false) AS leased, coalesce(w.tries, 0) AS tries
FROM checkout.checkout c LEFT JOIN checkout.work w ON w.id = c.id
WHERE ($1::text IS NULL OR c.state = $1) AND (NOT $2 OR c.hold IS NOT NULL) AND ($3::text IS NULL OR c.id > $3)
    AND ($5::text IS NULL OR c.id = $5)
ORDER BY c.id LIMIT $4
