-- $1 at most; $2 lease.
WITH t AS MATERIALIZED (
    SELECT checkout.now_ms() AS now
), held AS MATERIALIZED (
    SELECT n.key, n.due FROM checkout.news n WHERE n.due <= (SELECT now FROM t)
    ORDER BY n.due, n.key LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED
), numbered AS MATERIALIZED (
    SELECT h.key, nextval('checkout.fence') AS fence FROM (SELECT * FROM held ORDER BY due, key) h
), leased AS (
    UPDATE checkout.news n SET due = t.now + $2, fence = h.fence, tries = n.tries + 1
    FROM numbered h, t WHERE n.key = h.key AND n.key = ANY (ARRAY(SELECT key FROM numbered))
    RETURNING n.fence, n.tries, n.key, n.id, n.subject, n.reason
)
SELECT * FROM leased ORDER BY fence
