-- $1 id, or else $2 lane, $3 checkout_id, $4 reference; $5 the event's keys, $6 how long each is kept.
SELECT n.answer, n.queued FROM checkout.nudge($1, $2, $3, $4, $5, $6) n
