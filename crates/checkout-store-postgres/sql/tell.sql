DELETE FROM checkout.news n WHERE n.key = $1 AND n.fence = $2 RETURNING true
