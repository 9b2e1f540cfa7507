SELECT c.id, c.provider, c.merchant, c.environment, c.state, c.reference, c.checkout_id, c.page, c.hold,
    c.notes, c.version, c.created_at, c.changed_at
FROM checkout.checkout c WHERE c.id = $1
