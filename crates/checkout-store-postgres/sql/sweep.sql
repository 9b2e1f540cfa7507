-- $1 at most; $2 the span by which a caller's clock may be behind; $3 the span for which events of no
-- checkout are kept.
WITH t AS MATERIALIZED (
    SELECT checkout.now_ms() AS now
), events AS (
    DELETE FROM checkout.event e WHERE e.done AND e.until < (SELECT now FROM t) AND e.key = ANY (ARRAY(
        SELECT o.key FROM checkout.event o WHERE o.done AND o.until < (SELECT now FROM t)
        ORDER BY o.until LIMIT $1 FOR UPDATE SKIP LOCKED
    ))
    RETURNING 1
), strays AS (
    DELETE FROM checkout.stray s WHERE s.number = ANY (ARRAY(
        SELECT o.number FROM checkout.stray o WHERE o.seen_at < (SELECT now FROM t) - $3
        ORDER BY o.number LIMIT $1 - (SELECT count(*) FROM events) FOR UPDATE SKIP LOCKED
    ))
    RETURNING 1
), claims AS (
    DELETE FROM checkout.webhook_claim w WHERE w.until < (SELECT now FROM t) - $2 AND w.key = ANY (ARRAY(
        SELECT o.key FROM checkout.webhook_claim o WHERE o.until < (SELECT now FROM t) - $2
        ORDER BY o.until
        LIMIT $1 - (SELECT count(*) FROM events) - (SELECT count(*) FROM strays) FOR UPDATE SKIP LOCKED
    ))
    RETURNING 1
)
SELECT (SELECT count(*) FROM events) + (SELECT count(*) FROM strays) + (SELECT count(*) FROM claims) AS swept
