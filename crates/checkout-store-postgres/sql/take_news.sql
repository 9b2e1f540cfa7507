DELETE FROM checkout.news WHERE key = $1 RETURNING id, subject, reason
