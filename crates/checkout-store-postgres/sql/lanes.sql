-- $1 names; $2 requests; $3 spans, with the margin.
INSERT INTO checkout.lane AS l (name, requests, span)
SELECT a.name, a.requests, a.span FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS a (name, requests, span)
ORDER BY a.name COLLATE "C"
ON CONFLICT (name) DO UPDATE SET requests = excluded.requests, span = excluded.span
    WHERE (l.requests, l.span) IS DISTINCT FROM (excluded.requests, excluded.span)
