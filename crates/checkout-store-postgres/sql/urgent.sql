-- $1 at most.
SELECT u.now, u.lanes FROM checkout.urgent($1) u
