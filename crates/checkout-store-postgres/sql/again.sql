UPDATE checkout.news n SET due = checkout.now_ms() + $3 WHERE n.key = $1 AND n.fence = $2 RETURNING true
