-- $1 key; $2 fence, 0 for nobody's. Nobody waits for the shop's transaction that takes the news: the news is lost.
-- KEY SHARE meets the lock of such a transaction, and not the short lock of a claim.
DELETE FROM checkout.news n WHERE n.fence = $2 AND n.key = (
    SELECT k.key FROM checkout.news k WHERE k.key = $1 AND k.fence = $2 AND k.fence <> 0
    FOR KEY SHARE SKIP LOCKED
) RETURNING true
