-- $1 state; $2 held alone; $3 after; $4 at most.
SELECT c.id, c.provider, c.merchant, c.environment, c.state, c.reference, c.checkout_id, c.page, c.hold,
    c.notes, c.version, c.created_at, c.changed_at
FROM checkout.checkout c
WHERE ($1::text IS NULL OR c.state = $1) AND (NOT $2 OR c.hold IS NOT NULL) AND ($3::text IS NULL OR c.id > $3)
ORDER BY c.id LIMIT $4
