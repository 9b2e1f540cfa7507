-- $1 at most; $2 lease; $3 the tries of a suspect.
SELECT n.* FROM checkout.claim_news($1, $2, $3) n
