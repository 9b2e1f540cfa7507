-- The version of the schema, and the oldest program, by the version that it knows, that may use it.
CREATE TABLE checkout.schema_version (version bigint NOT NULL, oldest bigint NOT NULL);
INSERT INTO checkout.schema_version VALUES (0, 0);

-- The database's clock in Unix milliseconds: the one clock of leases and dues.
CREATE FUNCTION checkout.now_ms() RETURNS bigint LANGUAGE sql VOLATILE
    AS $$ SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint $$;

-- The numbers of claims. A number never comes back.
CREATE SEQUENCE checkout.fence;

CREATE DOMAIN checkout.provider AS text CHECK (VALUE IN ('allscale', 'azotte', 'peach', 'peach_v2'));
CREATE DOMAIN checkout.environment AS text CHECK (VALUE IN ('live', 'sandbox'));

-- A place under a limit, as a number: the moment until which the place is taken, and the last six digits of its
-- claim's number. 999999 is the last place of a moment.
CREATE FUNCTION checkout.place(until bigint, fence bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT least(until, 9000000000000) * 1000000 + fence % 1000000 $$;

-- The merchants: the limit of reads, the places that are taken under the limit in the order of their moments, the
-- moment before which none of them is free (a limit of none is full for ever), and the moment until which the
-- provider asked the merchant to wait.
CREATE TABLE checkout.lane (
    name        text COLLATE "C" PRIMARY KEY,
    requests    bigint,
    span        bigint,
    taken       bigint[] NOT NULL DEFAULT '{}',
    full_until  bigint GENERATED ALWAYS AS (
        CASE WHEN requests <= 0 THEN 9223372036854775807
        ELSE taken[cardinality(taken) + 1 - least(requests, 2147483647)::integer] / 1000000 END
    ) STORED,
    wait_until  bigint
) WITH (fillfactor = 20);

-- The lasting rows. The columns from id to reference never change. The watch is the last one of a row without work:
-- work has its own, so a poll that shows nothing new leaves this table as it is.
CREATE TABLE checkout.checkout (
    id          text COLLATE "C" PRIMARY KEY,
    lane        text COLLATE "C" NOT NULL,
    provider    text NOT NULL,
    merchant    text NOT NULL,
    environment text NOT NULL,
    reference   text COLLATE "C" NOT NULL,
    state       text COLLATE "C" NOT NULL,
    checkout_id text,
    page        text,
    hold        text,
    notes       text NOT NULL,
    watch       text NOT NULL DEFAULT '',
    nudges      bigint NOT NULL DEFAULT 0,
    answered    bigint NOT NULL DEFAULT 0,
    version     bigint NOT NULL DEFAULT 1,
    created_at  bigint NOT NULL,
    changed_at  bigint NOT NULL,
    UNIQUE (lane, reference)
) WITH (fillfactor = 80);
CREATE INDEX checkout_state ON checkout.checkout (state, id);
CREATE INDEX checkout_held ON checkout.checkout (id) WHERE hold IS NOT NULL;

-- The provider's ids, each with the checkout that had the id last.
CREATE TABLE checkout.named (
    lane        text COLLATE "C",
    checkout_id text COLLATE "C",
    id          text COLLATE "C" NOT NULL,
    PRIMARY KEY (lane, checkout_id)
);

-- The work: a row as long as there is something to do. Each change of a row counts rev up. A row is urgent
-- if its due is less than a second after the moment of the change: a claim looks for urgent rows from the
-- beginning of their index, and for other rows from the due where it found the last, or not at all for nearly a
-- second after a look.
--
-- A row is found by its fence, which is new with each claim. A transaction that somebody left open keeps all the
-- versions of a row: each of them has the row's id, and two of them a fence. A row is added and deleted by those
-- alone who have locked the checkout's row, so an id has one row.
CREATE TABLE checkout.work (
    id     text COLLATE "C" NOT NULL,
    lane   text COLLATE "C" NOT NULL,
    due    bigint NOT NULL,
    fence  bigint PRIMARY KEY,
    rev    bigint NOT NULL DEFAULT 0,
    tries  integer NOT NULL,
    leased boolean NOT NULL,
    urgent boolean NOT NULL,
    named  text,
    watch  text NOT NULL DEFAULT ''
) WITH (
    fillfactor = 80,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_vacuum_cost_delay = 0
);
CREATE INDEX work_id ON checkout.work (id);
CREATE INDEX work_due ON checkout.work (lane, due, id) WHERE NOT urgent;
CREATE INDEX work_urgent ON checkout.work (lane, due, id) WHERE urgent;

-- The events of webhooks, until a read answers them and their keys are kept no longer.
CREATE TABLE checkout.event (
    key   text COLLATE "C" PRIMARY KEY,
    id    text COLLATE "C" NOT NULL,
    nudge bigint NOT NULL,
    done  boolean NOT NULL,
    keep  bigint NOT NULL,
    until bigint NOT NULL
);
CREATE INDEX event_open ON checkout.event (id) WHERE NOT done;
CREATE INDEX event_over ON checkout.event (until) WHERE done;

-- The news for the shop, until they are told or put aside: the claims since a telling ended, and the tellings
-- that ended with the news to be told again.
CREATE TABLE checkout.news (
    key     text COLLATE "C" PRIMARY KEY,
    id      text NOT NULL,
    subject text NOT NULL,
    reason  text,
    due     bigint NOT NULL,
    fence   bigint NOT NULL DEFAULT 0,
    tries   integer NOT NULL DEFAULT 0,
    failed  integer NOT NULL DEFAULT 0
);
CREATE INDEX news_due ON checkout.news (due, key);

-- A row that is deleted by hand takes with it its work, its name and its open events. Events that are done go
-- when their keys are kept no longer.
CREATE FUNCTION checkout.deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    DELETE FROM checkout.work w WHERE w.id = OLD.id;
    DELETE FROM checkout.event e WHERE e.id = OLD.id AND NOT e.done;
    DELETE FROM checkout.named n
        WHERE n.lane = OLD.lane AND n.checkout_id = OLD.checkout_id AND n.id = OLD.id;
    RETURN NULL;
END $$;
CREATE TRIGGER deleted AFTER DELETE ON checkout.checkout FOR EACH ROW EXECUTE FUNCTION checkout.deleted();

-- The decisions of persons.
CREATE TABLE checkout.decision (
    id     text COLLATE "C",
    number bigint GENERATED ALWAYS AS IDENTITY,
    at     bigint NOT NULL,
    act    text NOT NULL,
    by     text NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (id, number)
);

-- The events that named no checkout when they came: the ids, and the moment of the first.
CREATE TABLE checkout.stray (
    number      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    lane        text COLLATE "C" NOT NULL,
    checkout_id text COLLATE "C",
    reference   text COLLATE "C",
    seen_at     bigint NOT NULL
);
CREATE UNIQUE INDEX stray_ids ON checkout.stray (
    lane, coalesce(checkout_id, ''), (checkout_id IS NULL), coalesce(reference, ''), (reference IS NULL)
);
CREATE INDEX stray_seen ON checkout.stray (seen_at);

-- The claims of the replay guard.
CREATE SEQUENCE checkout.webhook_claim_fence;
CREATE TABLE checkout.webhook_claim (
    key   varchar(92) COLLATE "C" PRIMARY KEY,
    fence bigint NOT NULL,
    done  boolean NOT NULL,
    until bigint NOT NULL
);
CREATE INDEX webhook_claim_until ON checkout.webhook_claim (until);

-- Adds a checkout that the provider has already, and its work, in the transaction of the caller. False if
-- there is one with this id or this reference, which is left as it is.
CREATE FUNCTION checkout.watch(
    id text, provider text, merchant text, environment text, reference text, checkout_id text,
    page text DEFAULT NULL, notes text DEFAULT '{}'
) RETURNS boolean LANGUAGE sql VOLATILE AS $$
    WITH new AS MATERIALIZED (
        SELECT $2::checkout.provider::text AS provider, $4::checkout.environment::text AS environment,
            CASE $2 WHEN 'peach_v2' THEN 'peach' ELSE $2 END || '/' || $3 AS lane, checkout.now_ms() AS now
    ), fresh AS (
        INSERT INTO checkout.checkout (id, lane, provider, merchant, environment, reference, state, checkout_id,
            page, notes, created_at, changed_at)
        SELECT $1, lane, provider, $3, environment, $5, 'open', $6, $7, $8, now, now FROM new
        ON CONFLICT DO NOTHING
        RETURNING lane, created_at
    ), named AS (
        INSERT INTO checkout.named (lane, checkout_id, id)
        SELECT lane, $6, $1 FROM fresh WHERE $6 IS NOT NULL
        ON CONFLICT (lane, checkout_id) DO UPDATE SET id = excluded.id
    ), work AS (
        INSERT INTO checkout.work (id, lane, due, fence, tries, leased, urgent)
        SELECT $1, lane, created_at, nextval('checkout.fence'), 0, false, true FROM fresh
    )
    SELECT EXISTS (SELECT FROM fresh)
$$;

-- For people. Neither page nor notes: anybody with the page can pay. No date is behind the year 9999.
CREATE VIEW checkout.overview AS
    SELECT c.id, c.provider, c.merchant, c.environment, c.state, c.hold, c.reference, c.checkout_id,
        to_timestamp(c.created_at / 1000.0) AS created_at, to_timestamp(c.changed_at / 1000.0) AS changed_at,
        c.version, c.nudges > c.answered AS nudged,
        CASE WHEN w.due IS NOT NULL THEN to_timestamp(least(w.due, 253402300799999) / 1000.0) END AS due,
        coalesce(w.leased AND w.due > checkout.now_ms(), false) AS leased, coalesce(w.tries, 0) AS tries
    FROM checkout.checkout c LEFT JOIN checkout.work w ON w.id = c.id;
CREATE VIEW checkout.due AS
    SELECT w.id, w.lane, to_timestamp(w.due / 1000.0) AS due, checkout.now_ms() - w.due AS late_ms, w.tries
    FROM checkout.work w WHERE w.due <= checkout.now_ms() ORDER BY w.due, w.id;
-- The strays whose ids no checkout has.
CREATE VIEW checkout.unmatched AS
    SELECT s.number, s.lane, s.checkout_id, s.reference, to_timestamp(s.seen_at / 1000.0) AS seen_at
    FROM checkout.stray s
    WHERE NOT EXISTS (SELECT FROM checkout.named n WHERE n.lane = s.lane AND n.checkout_id = s.checkout_id)
        AND NOT EXISTS (SELECT FROM checkout.checkout c WHERE c.lane = s.lane AND c.reference = s.reference);
