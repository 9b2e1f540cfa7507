-- $1 key; $2 end of the lease; $3 now.
INSERT INTO checkout.webhook_claim AS held (key, fence, done, until)
VALUES ($1, nextval('checkout.webhook_claim_fence'), false, $2)
ON CONFLICT (key) DO UPDATE SET fence = excluded.fence, done = false, until = excluded.until
    WHERE held.until < $3
RETURNING fence
