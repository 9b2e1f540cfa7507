-- $1 behind this number; $2 at most.
SELECT s.number, s.lane, s.checkout_id, s.reference, s.seen_at
FROM checkout.stray s JOIN checkout.unmatched u ON u.number = s.number
WHERE s.number > $1 ORDER BY s.number LIMIT $2
