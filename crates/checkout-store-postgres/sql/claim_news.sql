-- $1 at most; $2 lease.
SELECT n.* FROM checkout.claim_news($1, $2) n
