SELECT FROM checkout.checkout c WHERE c.id = $1 FOR UPDATE
