-- $1 does the single write wait for its row; for each write: $2 id; $3 fence; $4 nudges of the lease; $5 is
-- there a row to write: $6 state, $7 checkout_id, $8 page, $9 hold, $10 notes; $11 keep, due, back or ended:
-- $12 after, $13 watch; $14 none, sent or answered; $15 wait of the lane. News of all writes: $16 the number
-- of the write, $17 keys, $18 ids, $19 subjects, $20 reasons. $21 the span below which work is urgent.
SELECT checkout.write($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
    AS done
