DELETE FROM checkout.webhook_claim w WHERE w.key = $1 AND w.fence = $2 AND NOT w.done RETURNING true
