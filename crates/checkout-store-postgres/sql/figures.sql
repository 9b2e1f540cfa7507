SELECT greatest(0, t.now - w.first) AS oldest_due, w.work, w.leased,
    (SELECT count(*) FROM checkout.lane l JOIN checkout.work w ON w.lane = l.name
     WHERE w.due <= t.now AND (l.wait_until > t.now OR l.full_until > t.now)) AS waiting,
    (SELECT coalesce(sum(cardinality(l.taken) - width_bucket(checkout.place(t.now, 999999), l.taken)), 0)
     FROM checkout.lane l WHERE l.requests IS NOT NULL) AS limit_used,
    (SELECT count(*) FROM checkout.checkout c WHERE c.hold IS NOT NULL) AS held,
    (SELECT count(*) FROM checkout.news) AS news,
    (SELECT count(*) FROM checkout.unmatched) AS unmatched
FROM (SELECT checkout.now_ms() AS now OFFSET 0) t CROSS JOIN LATERAL (
    SELECT min(w.due) AS first, count(*) AS work,
        count(*) FILTER (WHERE w.leased AND w.due > t.now) AS leased
    FROM checkout.work w
) w
