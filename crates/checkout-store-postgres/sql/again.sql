-- $1 key; $2 fence, 0 for nobody's; $3 the span. As with a telling that ends, nobody waits.
UPDATE checkout.news n SET due = checkout.now_ms() + $3 WHERE n.fence = $2 AND n.key = (
    SELECT k.key FROM checkout.news k WHERE k.key = $1 AND k.fence = $2 AND k.fence <> 0
    FOR KEY SHARE SKIP LOCKED
) RETURNING true
