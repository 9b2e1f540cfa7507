-- $1 id; $2 lane; $3 provider; $4 merchant; $5 environment; $6 reference; $7 state; $8 checkout_id; $9 page;
-- $10 hold; $11 notes; $12 watch; $13 lease; $14 the span below which work is urgent.
SELECT i.fence, (i.kept).* FROM checkout.insert($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) i
