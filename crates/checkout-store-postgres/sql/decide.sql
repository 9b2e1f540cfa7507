-- $1 id; $2 version; $3 state; $4 checkout_id; $5 page; $6 hold; $7 notes; $8 is there work; $9 to $12 news:
-- keys, ids, subjects, reasons; $13 act; $14 by; $15 reason.
SELECT checkout.decide($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) AS done
