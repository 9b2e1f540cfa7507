SELECT w.done, w.until FROM checkout.webhook_claim w WHERE w.key = $1
