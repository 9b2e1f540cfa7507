-- $1 id; $2 lane; $3 provider; $4 merchant; $5 environment; $6 reference; $7 state; $8 checkout_id; $9 page;
-- $10 hold; $11 notes; $12 watch; $13 lease; $14 the span below which work is urgent.
WITH fresh AS (
    INSERT INTO checkout.checkout AS c (id, lane, provider, merchant, environment, reference, state,
        checkout_id, page, hold, notes, watch, created_at, changed_at)
    SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, t.now, t.now
    FROM (SELECT checkout.now_ms() AS now OFFSET 0) t
    ON CONFLICT DO NOTHING
    RETURNING c.*
), named AS (
    INSERT INTO checkout.named AS n (lane, checkout_id, id)
    SELECT f.lane, f.checkout_id, f.id FROM fresh f WHERE f.checkout_id IS NOT NULL
    ON CONFLICT (lane, checkout_id) DO UPDATE SET id = excluded.id
), work AS (
    INSERT INTO checkout.work AS w (id, lane, due, fence, tries, leased, urgent)
    SELECT f.id, f.lane, f.created_at + $13, nextval('checkout.fence'), ($13 > 0)::int, $13 > 0, $13 < $14
    FROM fresh f
    RETURNING w.fence
), lane AS (
    INSERT INTO checkout.lane (name) SELECT f.lane FROM fresh f ON CONFLICT DO NOTHING
), found AS (
    SELECT w.fence, f.* FROM fresh f CROSS JOIN work w
    UNION ALL
    (SELECT NULL, c.* FROM checkout.checkout c
     WHERE (c.id = $1 OR (c.lane = $2 AND c.reference = $6)) AND NOT EXISTS (SELECT FROM fresh)
     ORDER BY c.id <> $1 LIMIT 1)
)
SELECT f.fence, f.id, f.provider, f.merchant, f.environment, f.state, f.reference, f.checkout_id, f.page, f.hold,
    f.notes, f.version, f.created_at, f.changed_at
FROM found f
