-- The operations of the store. The database keeps the plans of a function's statements for a session, so also
-- for the connections behind a pooler. Each statement of a function sees what was committed before the
-- statement began.
--
-- The settings of a function: names are the schema's own or the database's, a plan is made once, no plan
-- reads a whole table because the table was small when the plan was made, and no expression is compiled. No
-- function that waits for a lock waits for longer than three seconds: a transaction that somebody left open
-- makes the others fail, and so try again, and does not stop them.

-- Adds a checkout with its work, or finds the one that is there; then the fence is null.
CREATE FUNCTION checkout.insert(
    in_id text, in_lane text, in_provider text, in_merchant text, in_environment text, in_reference text,
    in_state text, in_checkout_id text, in_page text, in_hold text, in_notes text, in_watch text,
    in_lease bigint, in_urgent bigint, OUT fence bigint, OUT kept checkout.checkout
) LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET jit = off
SET lock_timeout = '3s'
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
    now bigint := checkout.now_ms();
BEGIN
    INSERT INTO checkout.checkout AS c (id, lane, provider, merchant, environment, reference, state, checkout_id,
        page, hold, notes, created_at, changed_at)
    VALUES (in_id, in_lane, in_provider, in_merchant, in_environment, in_reference, in_state, in_checkout_id,
        in_page, in_hold, in_notes, now, now)
    ON CONFLICT DO NOTHING
    RETURNING c.* INTO kept;
    IF NOT FOUND THEN
        SELECT c.* INTO kept FROM checkout.checkout c WHERE c.id = in_id;
        IF NOT FOUND THEN
            SELECT c.* INTO kept FROM checkout.checkout c
            WHERE c.lane = in_lane AND c.reference = in_reference;
        END IF;
        RETURN;
    END IF;
    IF in_checkout_id IS NOT NULL THEN
        INSERT INTO checkout.named AS n (lane, checkout_id, id) VALUES (in_lane, in_checkout_id, in_id)
        ON CONFLICT (lane, checkout_id) DO UPDATE SET id = excluded.id;
    END IF;
    fence := nextval('checkout.fence');
    INSERT INTO checkout.work AS w (id, lane, due, fence, tries, leased, urgent, watch)
    VALUES (in_id, in_lane, now + in_lease, fence, (in_lease > 0)::int, in_lease > 0, in_lease < in_urgent, in_watch);
    PERFORM FROM checkout.lane l WHERE l.name = in_lane;
    IF NOT FOUND THEN
        INSERT INTO checkout.lane (name) VALUES (in_lane) ON CONFLICT DO NOTHING;
    END IF;
END $$;

-- The places of a lane, and new ones of one moment, of which the last is given.
CREATE FUNCTION checkout.with_places(taken bigint[], places bigint[], last bigint) RETURNS bigint[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT taken[:width_bucket(last, taken)] || places || taken[width_bucket(last, taken) + 1:]
$$;

-- The places of a lane after the end of some: of which lanes, by leases until when, under which numbers, and with
-- which reads. A read holds its place for the span of the limit from now on, and without an answer no shorter
-- than before. A place that is not there stays away.
CREATE FUNCTION checkout.ended(
    taken bigint[], lane text, lanes text[], leases bigint[], fences bigint[], reads text[], span bigint, now bigint
) RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    at integer;
    i integer;
BEGIN
    FOREACH i IN ARRAY array_positions(lanes, lane) LOOP
        at := array_position(taken, checkout.place(leases[i] + span, fences[i]));
        CONTINUE WHEN at IS NULL OR (reads[i] = 'sent' AND leases[i] > now);
        taken := taken[:at - 1] || taken[at + 1:];
        CONTINUE WHEN reads[i] = 'none';
        at := width_bucket(checkout.place(now + span, 999999), taken);
        taken := taken[:at] || checkout.place(now + span, fences[i]) || taken[at + 1:];
    END LOOP;
    RETURN taken;
END $$;

-- The first work of a lane that is due, and not before a due from which to look, except for urgent work.
CREATE FUNCTION checkout.waiting(in_lane text, in_from bigint, in_now bigint, in_max bigint) RETURNS TABLE (
    id text, due bigint, fence bigint, rev bigint, tries integer
) LANGUAGE sql STABLE AS $$
    SELECT u.id, u.due, u.fence, u.rev, u.tries FROM (
        (SELECT w.id, w.due, w.fence, w.rev, w.tries FROM checkout.work w
         WHERE w.lane = in_lane AND w.urgent AND w.due <= in_now
         ORDER BY w.due, w.id LIMIT in_max)
        UNION ALL
        (SELECT w.id, w.due, w.fence, w.rev, w.tries FROM checkout.work w
         WHERE w.lane = in_lane AND NOT w.urgent AND w.due BETWEEN in_from AND in_now
         ORDER BY w.due, w.id LIMIT in_max)
    ) u
    ORDER BY u.due, u.id LIMIT in_max
$$;

-- Writes of leased work, each with its own answer: true if done, false if lost, and null if another
-- transaction has the row. A single write can wait for the row, and several wait for none. No two writes are
-- of one id. The news of all writes stand together. A write that does not touch the checkout's row locks the
-- work alone: a nudge and a decision lock the work too.
CREATE FUNCTION checkout.write(
    in_waits_for_row boolean, in_ids text[], in_fences bigint[], in_nudges bigint[], in_rows boolean[], in_states text[],
    in_checkout_ids text[], in_pages text[], in_holds text[], in_notes text[], in_nexts text[],
    in_afters bigint[], in_watches text[], in_reads text[], in_waits bigint[], in_news_of integer[],
    in_news_keys text[], in_news_ids text[], in_news_subjects text[], in_news_reasons text[], in_urgent bigint
) RETURNS boolean[] LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET jit = off
SET lock_timeout = '3s'
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
    now bigint;
    -- The writes that may change the checkout's row.
    touched text[] := ARRAY(
        SELECT i.id FROM unnest(in_ids, in_rows, in_nexts, in_reads, in_nudges) AS i (id, is_row, next, read, nudges)
        WHERE i.is_row OR i.next = 'ended' OR (i.read = 'answered' AND i.nudges > 0)
    );
    free text[];
    ours boolean;
    again boolean;
    done boolean[] := array_fill(false, ARRAY[cardinality(in_ids)]);
    -- The places that end.
    lanes text[] := '{}';
    leases bigint[] := '{}';
    fences bigint[] := '{}';
    reads text[] := '{}';
    -- The lanes that wait.
    asked text[] := '{}';
    waits bigint[] := '{}';
    x record;
BEGIN
    IF in_waits_for_row THEN
        PERFORM FROM checkout.checkout c WHERE c.id = ANY (touched) FOR NO KEY UPDATE;
        PERFORM FROM checkout.work w WHERE w.fence = in_fences[1] FOR UPDATE;
    ELSE
        free := ARRAY(SELECT c.id FROM checkout.checkout c WHERE c.id = ANY (touched)
            FOR NO KEY UPDATE SKIP LOCKED);
        free := ARRAY(SELECT w.id FROM checkout.work w
            WHERE w.fence = ANY (in_fences) AND (w.id <> ALL (touched) OR w.id = ANY (free)) FOR UPDATE SKIP LOCKED);
    END IF;
    now := checkout.now_ms();
    FOR x IN
        SELECT i.*, c.nudges AS come, c.answered, c.checkout_id AS old, w.id = i.id AS works, w.leased, w.due, w.lane
        FROM unnest(in_ids, in_fences, in_nudges, in_rows, in_states, in_checkout_ids, in_pages, in_holds, in_notes,
            in_nexts, in_afters, in_watches, in_reads, in_waits) WITH ORDINALITY AS i (id, fence, nudges, is_row,
            state, checkout_id, page, hold, notes, next, after, watch, read, wait, n)
        JOIN checkout.checkout c ON c.id = i.id
        LEFT JOIN checkout.work w ON w.fence = i.fence
    LOOP
        IF NOT in_waits_for_row AND x.works AND NOT x.id = ANY (free) THEN
            done[x.n] := NULL;
            CONTINUE;
        END IF;
        ours := x.works AND x.leased AND (x.next <> 'keep' OR x.due > now);
        CONTINUE WHEN ours IS NOT TRUE;
        done[x.n] := true;
        again := x.come > x.nudges;
        IF x.is_row THEN
            UPDATE checkout.checkout c
            SET state = x.state, checkout_id = x.checkout_id, page = x.page, hold = x.hold, notes = x.notes,
                version = c.version + 1, changed_at = now,
                watch = CASE WHEN x.next = 'ended' THEN x.watch ELSE c.watch END,
                answered = CASE WHEN x.read = 'answered' THEN greatest(c.answered, x.nudges) ELSE c.answered END
            WHERE c.id = x.id;
            IF x.old IS DISTINCT FROM x.checkout_id THEN
                DELETE FROM checkout.named n WHERE n.lane = x.lane AND n.checkout_id = x.old AND n.id = x.id;
            END IF;
            IF x.checkout_id IS NOT NULL THEN
                INSERT INTO checkout.named AS n (lane, checkout_id, id) VALUES (x.lane, x.checkout_id, x.id)
                ON CONFLICT (lane, checkout_id) DO UPDATE SET id = excluded.id WHERE n.id <> excluded.id;
            END IF;
        ELSIF x.next = 'ended' OR (x.read = 'answered' AND x.answered < x.nudges) THEN
            UPDATE checkout.checkout c
            SET watch = CASE WHEN x.next = 'ended' THEN x.watch ELSE c.watch END,
                answered = CASE WHEN x.read = 'answered' THEN greatest(c.answered, x.nudges) ELSE c.answered END
            WHERE c.id = x.id;
        END IF;
        IF x.read = 'answered' AND x.nudges > 0 THEN
            UPDATE checkout.event e SET done = true, until = now + e.keep
            WHERE e.id = x.id AND NOT e.done AND e.nudge <= x.nudges;
        END IF;
        IF x.next = 'keep' THEN
            UPDATE checkout.work w SET rev = w.rev + 1 WHERE w.fence = x.fence;
        ELSIF x.next = 'ended' AND NOT again THEN
            DELETE FROM checkout.work w WHERE w.fence = x.fence;
        ELSE
            UPDATE checkout.work w
            SET rev = w.rev + 1, leased = false, due = CASE WHEN again THEN now ELSE now + x.after END,
                urgent = again OR x.after < in_urgent,
                tries = CASE x.next WHEN 'back' THEN greatest(w.tries - 1, 0) ELSE 0 END,
                named = CASE WHEN again OR x.next = 'back' THEN w.named END,
                watch = CASE WHEN x.next = 'back' THEN w.watch ELSE x.watch END
            WHERE w.fence = x.fence;
        END IF;
        IF x.next <> 'keep' THEN
            lanes := lanes || x.lane;
            leases := leases || x.due;
            fences := fences || x.fence;
            reads := reads || x.read;
        END IF;
        IF x.wait IS NOT NULL THEN
            asked := asked || x.lane;
            waits := waits || x.wait;
        END IF;
    END LOOP;
    IF cardinality(in_news_of) > 0 THEN
        INSERT INTO checkout.news (key, id, subject, reason, due)
        SELECT n.key, n.id, n.subject, n.reason, now
        FROM unnest(in_news_of, in_news_keys, in_news_ids, in_news_subjects, in_news_reasons)
            WITH ORDINALITY AS n (write, key, id, subject, reason, number)
        WHERE done[n.write]
        ORDER BY n.key COLLATE "C", n.number
        ON CONFLICT (key) DO NOTHING;
    END IF;
    IF cardinality(asked) > 0 THEN
        PERFORM FROM checkout.lane l WHERE l.name = ANY (lanes || asked) ORDER BY l.name FOR NO KEY UPDATE;
    END IF;
    -- By the index, and so in the order of the names. A join would let each lane meet each place.
    UPDATE checkout.lane l
    SET taken = checkout.ended(l.taken, l.name, lanes, leases, fences, reads, l.span, now)
    WHERE l.name = ANY (lanes) AND l.requests IS NOT NULL;
    IF cardinality(asked) > 0 THEN
        UPDATE checkout.lane l
        SET wait_until = greatest(l.wait_until, now + (
            SELECT max(o.wait) FROM unnest(asked, waits) AS o (lane, wait) WHERE o.lane = l.name
        ))
        WHERE l.name = ANY (asked);
    END IF;
    RETURN done;
END $$;

-- Makes a checkout's work due at once. The answer is done, pending, unmatched or queued, with the checkout's
-- id. A key that another transaction notes for another checkout at the same time makes the nudge fail, to be
-- repeated.
CREATE FUNCTION checkout.nudge(
    in_id text, in_lane text, in_checkout_id text, in_reference text, in_keys text[], in_keeps bigint[],
    OUT answer text, OUT queued text
) LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET jit = off
SET lock_timeout = '3s'
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
    now bigint;
    known boolean;
    noted bigint;
    new_id text;
    c record;
BEGIN
    -- The second look is under the lock of the checkout.
    FOR look IN 1..2 LOOP
        IF cardinality(in_keys) > 0 THEN
            SELECT bool_or(e.done) INTO known FROM checkout.event e
            WHERE e.key = ANY (in_keys) AND (NOT e.done OR e.until >= checkout.now_ms());
            IF known IS NOT NULL THEN
                answer := CASE WHEN known THEN 'done' ELSE 'pending' END;
                RETURN;
            END IF;
        END IF;
        EXIT WHEN look = 2;
        IF in_id IS NOT NULL THEN
            queued := in_id;
        ELSE
            SELECT n.id INTO queued FROM checkout.named n
            WHERE n.lane = in_lane AND n.checkout_id = in_checkout_id;
            IF queued IS NULL THEN
                SELECT r.id INTO queued FROM checkout.checkout r
                WHERE r.lane = in_lane AND r.reference = in_reference;
            END IF;
        END IF;
        SELECT r.id, r.lane, r.nudges, r.checkout_id, r.watch INTO c FROM checkout.checkout r WHERE r.id = queued
        FOR NO KEY UPDATE;
        IF NOT FOUND THEN
            IF in_id IS NULL THEN
                INSERT INTO checkout.stray (lane, checkout_id, reference, seen_at)
                VALUES (in_lane, in_checkout_id, in_reference, checkout.now_ms())
                ON CONFLICT DO NOTHING;
            END IF;
            answer := 'unmatched';
            queued := NULL;
            RETURN;
        END IF;
    END LOOP;
    now := checkout.now_ms();
    IF cardinality(in_keys) > 0 THEN
        INSERT INTO checkout.event AS e (key, id, nudge, done, keep, until)
        SELECT k.key, c.id, c.nudges + 1, false, k.keep, now
        FROM unnest(in_keys, in_keeps) AS k (key, keep)
        ORDER BY k.key COLLATE "C"
        ON CONFLICT (key) DO UPDATE
            SET id = excluded.id, nudge = excluded.nudge, done = false, keep = excluded.keep, until = excluded.until
            WHERE e.done AND e.until < excluded.until;
        GET DIAGNOSTICS noted = ROW_COUNT;
        IF noted < cardinality(in_keys) THEN
            RAISE EXCEPTION 'another transaction has noted the event' USING ERRCODE = 'serialization_failure';
        END IF;
    END IF;
    UPDATE checkout.checkout r SET nudges = r.nudges + 1 WHERE r.id = c.id;
    IF in_checkout_id IS DISTINCT FROM c.checkout_id THEN
        new_id := in_checkout_id;
    END IF;
    UPDATE checkout.work w
    SET rev = w.rev + 1,
        due = CASE WHEN w.leased THEN w.due ELSE least(w.due, now) END,
        urgent = w.urgent OR NOT w.leased,
        named = coalesce(new_id, w.named)
    WHERE w.id = c.id;
    IF NOT FOUND THEN
        INSERT INTO checkout.work (id, lane, due, fence, tries, leased, urgent, named, watch)
        VALUES (c.id, c.lane, now, nextval('checkout.fence'), 0, false, true, new_id, c.watch);
    END IF;
    answer := 'queued';
END $$;

-- Writes a person's decision. A nudge that waits for a read is work in any case, and the id that an event
-- named stays.
CREATE FUNCTION checkout.decide(
    in_id text, in_version bigint, in_state text, in_checkout_id text, in_page text, in_hold text, in_notes text,
    in_work boolean, in_news_keys text[], in_news_ids text[], in_news_subjects text[], in_news_reasons text[],
    in_act text, in_by text, in_reason text
) RETURNS boolean LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET jit = off
SET lock_timeout = '3s'
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
    now bigint;
    works_watch text;
    c record;
BEGIN
    SELECT r.id, r.lane, r.checkout_id, r.version, r.nudges > r.answered AS nudged, r.watch INTO c
    FROM checkout.checkout r WHERE r.id = in_id FOR NO KEY UPDATE;
    IF NOT FOUND OR c.version <> in_version THEN
        RETURN false;
    END IF;
    -- Whoever holds the work writes first.
    SELECT w.watch INTO works_watch FROM checkout.work w WHERE w.id = c.id FOR UPDATE;
    c.watch := coalesce(works_watch, c.watch);
    now := checkout.now_ms();
    UPDATE checkout.checkout r
    SET state = in_state, checkout_id = in_checkout_id, page = in_page, hold = in_hold, notes = in_notes,
        watch = c.watch, version = r.version + 1, changed_at = now
    WHERE r.id = c.id;
    IF c.checkout_id IS DISTINCT FROM in_checkout_id THEN
        DELETE FROM checkout.named n WHERE n.lane = c.lane AND n.checkout_id = c.checkout_id AND n.id = c.id;
    END IF;
    IF in_checkout_id IS NOT NULL THEN
        INSERT INTO checkout.named AS n (lane, checkout_id, id) VALUES (c.lane, in_checkout_id, c.id)
        ON CONFLICT (lane, checkout_id) DO UPDATE SET id = excluded.id WHERE n.id <> excluded.id;
    END IF;
    IF in_work OR c.nudged THEN
        UPDATE checkout.work w
        SET due = now, fence = nextval('checkout.fence'), rev = w.rev + 1, tries = 0, leased = false, urgent = true
        WHERE w.id = c.id;
        IF NOT FOUND THEN
            INSERT INTO checkout.work (id, lane, due, fence, tries, leased, urgent, watch)
            VALUES (c.id, c.lane, now, nextval('checkout.fence'), 0, false, true, c.watch);
        END IF;
    ELSE
        DELETE FROM checkout.work w WHERE w.id = c.id;
    END IF;
    INSERT INTO checkout.news (key, id, subject, reason, due)
    SELECT n.key, n.id, n.subject, n.reason, now
    FROM unnest(in_news_keys, in_news_ids, in_news_subjects, in_news_reasons)
        WITH ORDINALITY AS n (key, id, subject, reason, number)
    ORDER BY n.key COLLATE "C", n.number
    ON CONFLICT (key) DO NOTHING;
    INSERT INTO checkout.decision (id, at, act, by, reason) VALUES (c.id, now, in_act, in_by, in_reason);
    RETURN true;
END $$;

-- Leases work that is due. The lanes come with the one that waits longest first, each with the due from which
-- to look. Work is suspect after so many claims without a write.
--
-- Lanes and work are locked by SKIP LOCKED: a claim waits for nobody. The work is chosen as the snapshot
-- shows the rows, and is taken only if rev is still the same under the lock. Each transaction that changes a
-- checkout changes rev as well, so the snapshot's checkout is the latest one.
--
-- The places of a lane are counted by columns and expressions of its row, in the condition and in the answer:
-- these see the row under the lock. A joined count would stay the snapshot's.
--
-- A claim that finds less answers, in its first row, for each lane what is next: the due of the first work that
-- is left, and the moment before which the lane is full or waits, if no place ends before its time. A lane
-- without a row gives nothing.
CREATE FUNCTION checkout.claim(
    in_lanes text[], in_from bigint[], in_max bigint, in_lease bigint, in_suspect integer
) RETURNS TABLE (
    now bigint, next bigint, news boolean, dues bigint[], shuts bigint[], lane text, fence bigint, tries integer,
    named text, watch text, regular bigint, late bigint, kept checkout.checkout
) LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET jit = off
SET enable_seqscan = off
AS $$
#variable_conflict use_column
BEGIN
RETURN QUERY
WITH t AS MATERIALIZED (
    SELECT c.now, checkout.place(c.now, 999999) AS last FROM (SELECT checkout.now_ms() AS now OFFSET 0) c
), asked AS MATERIALIZED (
    -- The lane has nothing before its first work, and need not be looked through again.
    SELECT a.lane, a.n, coalesce(regular.due, 9223372036854775807) AS start, regular.due AS regular,
        least(urgent.due, regular.due) AS due,
        CASE WHEN regular.due IS NULL OR (urgent.due, urgent.id) < (regular.due, regular.id)
            THEN urgent.tries ELSE regular.tries END >= in_suspect AS suspect
    FROM t CROSS JOIN unnest(in_lanes, in_from) WITH ORDINALITY AS a (lane, start, n)
    CROSS JOIN LATERAL (
        SELECT CASE WHEN a.start > t.now THEN (-9223372036854775808) ELSE a.start END AS start
    ) first
    LEFT JOIN LATERAL (
        SELECT w.due, w.id, w.tries FROM checkout.work w WHERE w.lane = a.lane AND w.urgent
        ORDER BY w.due, w.id LIMIT 1
    ) urgent ON true
    LEFT JOIN LATERAL (
        SELECT w.due, w.id, w.tries FROM checkout.work w
        WHERE w.lane = a.lane AND NOT w.urgent AND w.due >= first.start
        ORDER BY w.due, w.id LIMIT 1
    ) regular ON true
), first AS MATERIALIZED (
    SELECT a.lane, a.n, a.start, a.regular, a.suspect, l.span, l.room, t.now
    FROM t CROSS JOIN asked a CROSS JOIN LATERAL (
        SELECT l.span, coalesce(l.requests - cardinality(l.taken) + width_bucket(t.last, l.taken), in_max) AS room
        FROM checkout.lane l
        WHERE l.name = a.lane AND coalesce(l.wait_until <= t.now, true) AND coalesce(l.full_until <= t.now, true)
        FOR UPDATE OF l SKIP LOCKED
    ) l
    WHERE a.due <= t.now
    LIMIT least(in_max, 1)
), locked AS MATERIALIZED (
    SELECT f.* FROM first f
    UNION ALL
    -- A lane whose first work is suspect gives nothing to a claim that has other work.
    (SELECT a.lane, a.n, a.start, a.regular, a.suspect, l.span, l.room, t.now
    FROM first f CROSS JOIN t CROSS JOIN asked a CROSS JOIN LATERAL (
        SELECT l.span, coalesce(l.requests - cardinality(l.taken) + width_bucket(t.last, l.taken), in_max) AS room
        FROM checkout.lane l
        WHERE l.name = a.lane AND coalesce(l.wait_until <= t.now, true) AND coalesce(l.full_until <= t.now, true)
        FOR UPDATE OF l SKIP LOCKED
    ) l
    WHERE a.due <= t.now AND a.n > f.n AND NOT a.suspect AND NOT f.suspect
    LIMIT greatest(in_max - 1, 0))
), share AS MATERIALIZED (
    -- So much of each lane is enough where the lanes have as much, and nothing of that is suspect.
    SELECT CASE WHEN c.share >= in_max OR (
        SELECT count(*) >= in_max AND NOT bool_or(w.tries >= in_suspect)
        FROM locked k CROSS JOIN LATERAL checkout.waiting(k.lane, k.start, k.now, least(k.room, c.share)) w
    ) THEN c.share ELSE in_max END AS most
    FROM (SELECT (in_max + count(*) - 1) / greatest(count(*), 1) AS share FROM locked) c
), seen AS MATERIALIZED (
    SELECT k.lane, k.n, k.regular, k.now - w.due AS late, w.id, w.fence, w.rev, w.tries >= in_suspect AS suspect,
        row_number() OVER lane AS turn, bool_or(w.tries >= in_suspect) OVER lane AS stopped
    FROM share CROSS JOIN locked k
    CROSS JOIN LATERAL checkout.waiting(k.lane, k.start, k.now, least(k.room, share.most)) w
    WINDOW lane AS (PARTITION BY k.n ORDER BY w.due, w.id)
), head AS MATERIALIZED (
    SELECT s.fence, s.suspect FROM seen s ORDER BY s.turn, s.n LIMIT 1
), held AS MATERIALIZED (
    SELECT s.* FROM (
        SELECT s.* FROM seen s CROSS JOIN head h
        WHERE CASE WHEN h.suspect THEN s.fence = h.fence ELSE NOT s.stopped END
        ORDER BY s.turn, s.n LIMIT in_max
    ) s CROSS JOIN LATERAL (
        SELECT FROM checkout.work w WHERE w.fence = s.fence AND w.rev = s.rev FOR UPDATE SKIP LOCKED
    ) w
), numbered AS MATERIALIZED (
    SELECT h.*, nextval('checkout.fence') AS number FROM (SELECT * FROM held ORDER BY turn, n) h
), leased AS (
    UPDATE checkout.work w
    SET due = t.now + in_lease, fence = h.number, rev = w.rev + 1, tries = w.tries + 1, leased = true, urgent = false
    FROM numbered h, t
    WHERE w.fence = h.fence AND w.fence = ANY (ARRAY(SELECT fence FROM numbered))
    RETURNING w.id, w.lane, w.due, w.fence, w.tries, w.named, w.watch, h.n, h.regular, h.late
), places AS MATERIALIZED (
    SELECT s.n, s.lane, min(s.due) AS due, array_agg(s.id) AS ids,
        array_agg(checkout.place(s.due + k.span, s.fence)) FILTER (WHERE k.span IS NOT NULL) AS taken,
        min(checkout.place(s.due + k.span, 999999)) AS last
    FROM leased s JOIN locked k ON k.n = s.n GROUP BY s.n, s.lane
), placed AS (
    UPDATE checkout.lane l
    SET taken = l.taken[width_bucket(t.last, l.taken) + 1:width_bucket(p.last, l.taken)] || p.taken
        || l.taken[width_bucket(p.last, l.taken) + 1:]
    FROM places p, t
    WHERE l.name = p.lane AND p.taken IS NOT NULL
), ends AS MATERIALIZED (
    SELECT a.n, CASE WHEN l.name IS NOT NULL THEN rest.due END AS due, greatest(l.wait_until, l.free) AS shut
    FROM asked a
    LEFT JOIN places p ON p.n = a.n
    CROSS JOIN LATERAL (
        SELECT CASE WHEN p.n IS NULL THEN a.due ELSE least(p.due, (
            SELECT w.due FROM checkout.work w
            WHERE w.lane = a.lane AND w.urgent AND w.id <> ALL (p.ids)
            ORDER BY w.due, w.id LIMIT 1
        ), (
            SELECT w.due FROM checkout.work w
            WHERE w.lane = a.lane AND NOT w.urgent AND w.due >= a.start AND w.id <> ALL (p.ids)
            ORDER BY w.due, w.id LIMIT 1
        )) END AS due
    ) rest
    LEFT JOIN LATERAL (
        SELECT l.name, l.wait_until, CASE WHEN p.taken IS NULL THEN l.full_until
            ELSE (checkout.with_places(l.taken, p.taken, p.last))[
                cardinality(l.taken) + cardinality(p.taken) + 1 - least(l.requests, 2147483647)::integer
            ] / 1000000 END AS free
        FROM checkout.lane l WHERE l.name = a.lane OFFSET 0
    ) l ON true
), rests AS MATERIALIZED (
    SELECT array_agg(e.due ORDER BY e.n) AS dues, array_agg(e.shut ORDER BY e.n) AS shuts,
        min(greatest(e.due, e.shut, t.now)) FILTER (WHERE e.due IS NOT NULL) AS next
    FROM t CROSS JOIN ends e
), answer AS MATERIALIZED (
    -- A full claim does not look further: there may be more at once. Neither does a look that has found due work.
    SELECT a.now, a.news, CASE WHEN a.is_enough THEN a.now ELSE (SELECT r.next FROM rests r) END AS next,
        CASE WHEN NOT a.is_enough THEN (SELECT r.dues FROM rests r) END AS dues,
        CASE WHEN NOT a.is_enough THEN (SELECT r.shuts FROM rests r) END AS shuts
    FROM (
        SELECT t.now, CASE WHEN in_max > 0 THEN (SELECT count(*) FROM leased) >= in_max
                ELSE EXISTS (SELECT FROM ends e WHERE greatest(e.due, e.shut) <= t.now AND e.due IS NOT NULL)
            END AS is_enough,
            EXISTS (SELECT FROM checkout.news n WHERE n.due <= t.now) AS news
        FROM t OFFSET 0
    ) a
)
SELECT answer.now, answer.next, answer.news, CASE WHEN s.first IS NOT FALSE THEN answer.dues END,
    CASE WHEN s.first IS NOT FALSE THEN answer.shuts END,
    s.lane, s.fence, s.tries, s.named, s.watch, s.regular, s.late, c.kept
FROM answer LEFT JOIN (
    SELECT s.*, row_number() OVER (ORDER BY s.fence) = 1 AS first FROM leased s
) s ON true LEFT JOIN LATERAL (
    SELECT c AS kept FROM checkout.checkout c WHERE c.id = s.id OFFSET 0
) c ON true
ORDER BY s.fence;
END $$;

-- The lanes with urgent work, at most so many, and the clock before the look: from lane to lane, by the index.
CREATE FUNCTION checkout.urgent(in_max bigint, OUT now bigint, OUT lanes text[]) LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET jit = off
SET enable_seqscan = off SET enable_bitmapscan = off
AS $$
BEGIN
    now := checkout.now_ms();
    WITH RECURSIVE found AS (
        (SELECT w.lane FROM checkout.work w WHERE w.urgent ORDER BY w.lane LIMIT 1)
        UNION ALL
        SELECT (SELECT w.lane FROM checkout.work w WHERE w.urgent AND w.lane > f.lane ORDER BY w.lane LIMIT 1)
        FROM found f WHERE f.lane IS NOT NULL
    )
    SELECT array_agg(f.lane) INTO lanes
    FROM (SELECT f.lane FROM found f WHERE f.lane IS NOT NULL LIMIT in_max) f;
END $$;

-- Leases news that is due to be told. News of so many tries is suspect, and comes alone.
CREATE FUNCTION checkout.claim_news(in_max bigint, in_lease bigint, in_suspect integer) RETURNS TABLE (
    fence bigint, tries integer, failed integer, key text, id text, subject text, reason text
) LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET jit = off
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
BEGIN
RETURN QUERY
WITH t AS MATERIALIZED (
    SELECT checkout.now_ms() AS now
), held AS MATERIALIZED (
    SELECT n.key, n.due, n.tries >= in_suspect AS suspect FROM checkout.news n WHERE n.due <= (SELECT now FROM t)
    ORDER BY n.due, n.key LIMIT in_max FOR NO KEY UPDATE SKIP LOCKED
), head AS MATERIALIZED (
    SELECT h.key, h.suspect FROM held h ORDER BY h.due, h.key LIMIT 1
), numbered AS MATERIALIZED (
    SELECT h.key, nextval('checkout.fence') AS fence FROM (
        SELECT h.* FROM held h CROSS JOIN head f
        WHERE CASE WHEN f.suspect THEN h.key = f.key ELSE NOT h.suspect END ORDER BY h.due, h.key
    ) h
), leased AS (
    UPDATE checkout.news n SET due = t.now + in_lease, fence = h.fence, tries = n.tries + 1
    FROM numbered h, t WHERE n.key = h.key AND n.key = ANY (ARRAY(SELECT key FROM numbered))
    RETURNING n.fence, n.tries, n.failed, n.key, n.id, n.subject, n.reason
)
SELECT l.* FROM leased l ORDER BY l.fence;
END $$;

-- Ends the telling of news: told, or to be told again after a span. False if another claim has the news, or
-- if the news is gone. The telling waits for no transaction of the shop that takes the news: KEY SHARE meets
-- the lock of such a transaction, and not the short lock of a claim.
CREATE FUNCTION checkout.news_told(in_key text, in_fence bigint, in_again bigint) RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET jit = off
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
BEGIN
    -- Nobody has news of the fence 0.
    PERFORM FROM checkout.news n WHERE n.key = in_key AND in_fence <> 0 FOR KEY SHARE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF in_again IS NULL THEN
        DELETE FROM checkout.news n WHERE n.key = in_key AND n.fence = in_fence;
    ELSE
        UPDATE checkout.news n SET due = checkout.now_ms() + in_again, tries = 0, failed = n.failed + 1
        WHERE n.key = in_key AND n.fence = in_fence;
    END IF;
    RETURN FOUND;
END $$;
