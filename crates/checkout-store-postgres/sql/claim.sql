-- $1 lanes, the one that waits longest first; $2 the due from which to look in each; $3 at most; $4 lease;
-- $5 the claims without a write that make work suspect.
SELECT c.now, c.next, c.news, c.dues, c.shuts, c.lane, c.fence, c.tries, c.named, c.watch, c.regular, c.late,
    (c.kept).*, (c.kept).nudges > (c.kept).answered AS nudged
FROM checkout.claim($1, $2, $3, $4, $5) c
