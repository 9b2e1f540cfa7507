SELECT d.at, d.act, d.by, d.reason FROM checkout.decision d WHERE d.id = $1 ORDER BY d.number
