-- $1 key; $2 fence; $3 until.
INSERT INTO checkout.webhook_claim AS held (key, fence, done, until) VALUES ($1, $2, true, $3)
ON CONFLICT (key) DO UPDATE SET done = true, until = greatest(held.until, excluded.until)
    WHERE held.fence = excluded.fence
RETURNING true
