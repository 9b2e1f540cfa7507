-- $1 key; $2 fence, 0 for nobody's. Nobody waits for the shop's transaction that takes the news: the news is lost.
DELETE FROM checkout.news n WHERE n.key = (
    SELECT k.key FROM checkout.news k WHERE k.key = $1 AND k.fence = $2 AND k.fence <> 0 FOR UPDATE SKIP LOCKED
) RETURNING true
