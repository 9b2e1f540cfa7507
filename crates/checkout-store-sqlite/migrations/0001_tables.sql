-- Moments are Unix milliseconds. The lasting row of a checkout, for ever.
CREATE TABLE checkout (
    id          TEXT    NOT NULL PRIMARY KEY,
    lane        TEXT    NOT NULL,               -- company/merchant
    provider    TEXT    NOT NULL,
    merchant    TEXT    NOT NULL,
    environment TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    reference   TEXT    NOT NULL,
    checkout_id TEXT,                           -- the provider's own id
    page        TEXT,                           -- a secret of the payer
    hold        TEXT,                           -- why a person has to look
    notes       TEXT    NOT NULL,               -- the engine's, JSON
    watch       TEXT    NOT NULL DEFAULT '',    -- the work's last watch, while there is no work
    nudges      INTEGER NOT NULL DEFAULT 0,     -- nudges that came
    answered    INTEGER NOT NULL DEFAULT 0,     -- nudges that a read has answered
    version     INTEGER NOT NULL,               -- counts the writes
    created_at  INTEGER NOT NULL,
    changed_at  INTEGER NOT NULL,
    UNIQUE (lane, reference),
    -- What checkout_watch says of a known id or reference: a check stands against OR REPLACE too.
    CONSTRAINT "there is a checkout with this id or reference" CHECK (version > 0)
) STRICT;
CREATE INDEX checkout_named ON checkout (lane, checkout_id) WHERE checkout_id IS NOT NULL;
CREATE INDEX checkout_by_state ON checkout (state, id);
CREATE INDEX checkout_held ON checkout (id) WHERE hold IS NOT NULL;

-- The work: a row as long as there is something to do. With a rowid, the rows of one time are on few pages.
CREATE TABLE checkout_work (
    id     TEXT    NOT NULL PRIMARY KEY,
    lane   TEXT    NOT NULL,
    due    INTEGER NOT NULL,                    -- the end of the lease, if leased
    fence  INTEGER NOT NULL,                    -- the number of the last claim
    leased INTEGER NOT NULL,
    tries  INTEGER NOT NULL,                    -- claims since the last write
    named  TEXT,                                -- the provider's id that an event named
    watch  TEXT    NOT NULL DEFAULT ''          -- the engine's, JSON; empty before the create is done
) STRICT;
CREATE INDEX checkout_work_due ON checkout_work (lane, due, id);

-- A lane is the work of one merchant.
CREATE TABLE checkout_lane (
    name        TEXT    NOT NULL PRIMARY KEY,
    requests    INTEGER,                        -- the limit: so many requests
    per_seconds INTEGER,                        -- within so many seconds
    served      INTEGER NOT NULL DEFAULT 0,     -- the number of the last claim: lanes take turns
    wait_until  INTEGER,                        -- the provider asked the lane to wait
    full_until  INTEGER,                        -- no place is free before, by the triggers alone
    due         INTEGER,                        -- the earliest due of its work, by the triggers alone
    -- The moment from which a claim finds work here.
    opens       INTEGER GENERATED ALWAYS AS (max(due, ifnull(wait_until, due), ifnull(full_until, due))) VIRTUAL
) STRICT, WITHOUT ROWID;
-- A claim looks at the lanes that are open, however many others are there, wait or are at their limits.
CREATE INDEX checkout_lane_opens ON checkout_lane (opens, name) WHERE opens IS NOT NULL;
CREATE TRIGGER checkout_lane_added AFTER INSERT ON checkout_lane BEGIN
    UPDATE checkout_lane SET due = (SELECT min(due) FROM checkout_work WHERE lane = NEW.name),
        full_until = (SELECT until FROM checkout_full WHERE name = NEW.name) WHERE name = NEW.name;
END;
CREATE TRIGGER checkout_lane_limited AFTER UPDATE OF requests ON checkout_lane
WHEN OLD.requests IS NOT NEW.requests BEGIN
    UPDATE checkout_lane SET full_until = (SELECT until FROM checkout_full WHERE name = NEW.name)
        WHERE name = NEW.name;
END;
CREATE TRIGGER checkout_work_added AFTER INSERT ON checkout_work BEGIN
    UPDATE checkout_lane SET due = NEW.due WHERE name = NEW.lane AND (due IS NULL OR due > NEW.due);
END;
CREATE TRIGGER checkout_work_moved AFTER UPDATE OF due, lane ON checkout_work BEGIN
    UPDATE checkout_lane SET due = (SELECT min(due) FROM checkout_work WHERE lane = NEW.lane)
        WHERE name = NEW.lane AND (due IS NULL OR due = OLD.due OR due > NEW.due);
    UPDATE checkout_lane SET due = (SELECT min(due) FROM checkout_work WHERE lane = OLD.lane)
        WHERE name = OLD.lane AND OLD.lane <> NEW.lane AND due = OLD.due;
END;
CREATE TRIGGER checkout_work_ended AFTER DELETE ON checkout_work BEGIN
    UPDATE checkout_lane SET due = (SELECT min(due) FROM checkout_work WHERE lane = OLD.lane)
        WHERE name = OLD.lane AND due = OLD.due;
END;

-- The places under the limits that are taken.
CREATE TABLE checkout_place (
    lane  TEXT    NOT NULL,
    fence INTEGER NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (lane, fence)
) STRICT, WITHOUT ROWID;
-- A lane with so many places is full until the first of its last places is over. A limit of none is full for
-- ever.
CREATE VIEW checkout_full AS
    SELECT l.name, iif(l.requests > 0, (
        SELECT p.until FROM (
            SELECT until, row_number() OVER (ORDER BY until DESC) AS place FROM checkout_place WHERE lane = l.name
        ) AS p WHERE p.place = l.requests
    ), iif(l.requests IS NULL, NULL, 9223372036854775807)) AS until
    FROM checkout_lane AS l;
CREATE TRIGGER checkout_place_taken AFTER INSERT ON checkout_place BEGIN
    UPDATE checkout_lane SET full_until = (SELECT until FROM checkout_full WHERE name = NEW.lane)
        WHERE name = NEW.lane;
END;
CREATE TRIGGER checkout_place_moved AFTER UPDATE ON checkout_place BEGIN
    UPDATE checkout_lane SET full_until = (SELECT until FROM checkout_full WHERE name = NEW.lane)
        WHERE name = NEW.lane;
END;
CREATE TRIGGER checkout_place_free AFTER DELETE ON checkout_place BEGIN
    UPDATE checkout_lane SET full_until = (SELECT until FROM checkout_full WHERE name = OLD.lane)
        WHERE name = OLD.lane;
END;

-- The last number of a claim. No number comes back.
CREATE TABLE checkout_fence (
    one  INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    last INTEGER NOT NULL
) STRICT;
INSERT INTO checkout_fence (one, last) VALUES (1, 0);

-- The events of webhooks, by the keys of their content.
CREATE TABLE checkout_event (
    key       TEXT    NOT NULL PRIMARY KEY,
    id        TEXT    NOT NULL,
    nudge     INTEGER NOT NULL,
    done      INTEGER NOT NULL,
    until     INTEGER NOT NULL,
    retention INTEGER NOT NULL                  -- milliseconds, from the read that answers the event
) STRICT, WITHOUT ROWID;
CREATE INDEX checkout_event_of ON checkout_event (id, nudge);
CREATE INDEX checkout_event_until ON checkout_event (until) WHERE done;

-- News to tell the shop. A row that is gone was told, or is put aside with a hold.
CREATE TABLE checkout_news (
    key     TEXT    NOT NULL PRIMARY KEY,
    id      TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    reason  TEXT,
    due     INTEGER NOT NULL,
    fence   INTEGER NOT NULL,
    tries   INTEGER NOT NULL,                   -- claims since a telling ended
    failed  INTEGER NOT NULL DEFAULT 0          -- tellings that ended, with the news to be told again
) STRICT, WITHOUT ROWID;
CREATE INDEX checkout_news_due ON checkout_news (due, key);

-- The decisions of persons.
CREATE TABLE checkout_decision (
    number INTEGER NOT NULL PRIMARY KEY,
    id     TEXT    NOT NULL,
    at     INTEGER NOT NULL,
    act    TEXT    NOT NULL,
    by     TEXT    NOT NULL,
    reason TEXT    NOT NULL
) STRICT;
CREATE INDEX checkout_decision_of ON checkout_decision (id, number);

-- Events that named no checkout when they came: each once. Quoting tells an empty text from none.
CREATE TABLE checkout_stray (
    number      INTEGER NOT NULL PRIMARY KEY,
    lane        TEXT    NOT NULL,
    checkout_id TEXT,
    reference   TEXT,
    at          INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX checkout_stray_once ON checkout_stray (lane, quote(checkout_id), quote(reference));
CREATE INDEX checkout_stray_at ON checkout_stray (at);

-- The claims of the replay guard.
CREATE TABLE webhook_claim (
    key   TEXT    NOT NULL PRIMARY KEY,
    fence INTEGER NOT NULL,
    done  INTEGER NOT NULL,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX webhook_claim_until ON webhook_claim (until);

-- A row that is deleted by hand takes its work with it.
CREATE TRIGGER checkout_deleted AFTER DELETE ON checkout BEGIN
    DELETE FROM checkout_work WHERE id = OLD.id;
    DELETE FROM checkout_event WHERE id = OLD.id;
END;

-- A shop's own transaction inserts here, and the checkout is watched from the commit on.
CREATE VIEW checkout_watch (id, provider, merchant, environment, reference, checkout_id, page, notes, at) AS
    SELECT id, provider, merchant, environment, reference, checkout_id, page, notes, created_at
    FROM checkout WHERE false;
CREATE TRIGGER checkout_watch_insert INSTEAD OF INSERT ON checkout_watch BEGIN
    SELECT RAISE(ABORT, 'provider: allscale, azotte, peach or peach_v2')
        WHERE NEW.provider NOT IN ('allscale', 'azotte', 'peach', 'peach_v2');
    SELECT RAISE(ABORT, 'environment: live or sandbox') WHERE NEW.environment NOT IN ('live', 'sandbox');
    INSERT INTO checkout (id, lane, provider, merchant, environment, state, reference, checkout_id, page,
            notes, version, created_at, changed_at)
        VALUES (NEW.id, iif(NEW.provider = 'peach_v2', 'peach', NEW.provider) || '/' || NEW.merchant,
            NEW.provider, NEW.merchant, NEW.environment, 'open', NEW.reference, NEW.checkout_id, NEW.page,
            NEW.notes,
            iif(EXISTS (SELECT 1 FROM checkout AS c WHERE c.id = NEW.id OR c.reference = NEW.reference
                AND c.lane = iif(NEW.provider = 'peach_v2', 'peach', NEW.provider) || '/' || NEW.merchant), 0, 1),
            NEW.at, NEW.at);
    -- Directly behind: an INSERT OR IGNORE that adds no checkout adds no work.
    INSERT INTO checkout_work (id, lane, due, fence, leased, tries)
        SELECT id, lane, NEW.at, 0, 0, 0 FROM checkout WHERE id = NEW.id AND changes() > 0
        ON CONFLICT (id) DO NOTHING;
    -- An INSERT OR REPLACE would forget the limit of a lane.
    INSERT INTO checkout_lane (name) SELECT c.lane FROM checkout AS c
        WHERE c.id = NEW.id AND NOT EXISTS (SELECT 1 FROM checkout_lane AS l WHERE l.name = c.lane);
END;

-- The clock of the machine.
CREATE VIEW checkout_now AS SELECT CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER) AS ms;

-- For people. Neither page nor notes: anybody with the page can pay. No date is behind the year 9999.
CREATE VIEW checkout_overview AS
    SELECT c.id, c.provider, c.merchant, c.environment, c.state, c.hold, c.reference, c.checkout_id,
        strftime('%Y-%m-%dT%H:%M:%fZ', c.created_at / 1000.0, 'unixepoch') AS created_at,
        strftime('%Y-%m-%dT%H:%M:%fZ', c.changed_at / 1000.0, 'unixepoch') AS changed_at,
        c.version, c.nudges > c.answered AS nudged,
        strftime('%Y-%m-%dT%H:%M:%fZ', min(w.due, 253402300799999) / 1000.0, 'unixepoch') AS due,
        ifnull(w.leased AND w.due > n.ms, 0) AS leased, ifnull(w.tries, 0) AS tries
    FROM checkout AS c LEFT JOIN checkout_work AS w ON w.id = c.id CROSS JOIN checkout_now AS n;
CREATE VIEW checkout_due AS
    SELECT w.id, w.lane, strftime('%Y-%m-%dT%H:%M:%fZ', w.due / 1000.0, 'unixepoch') AS due,
        n.ms - w.due AS late_ms, w.tries
    FROM checkout_work AS w CROSS JOIN checkout_now AS n WHERE w.due <= n.ms ORDER BY w.due, w.id;
-- The strays whose ids no checkout has.
CREATE VIEW checkout_unmatched AS
    SELECT s.number, s.lane, s.checkout_id, s.reference,
        strftime('%Y-%m-%dT%H:%M:%fZ', s.at / 1000.0, 'unixepoch') AS seen_at
    FROM checkout_stray AS s
    WHERE NOT EXISTS (SELECT 1 FROM checkout AS c WHERE c.lane = s.lane AND c.checkout_id = s.checkout_id)
        AND NOT EXISTS (SELECT 1 FROM checkout AS c WHERE c.lane = s.lane AND c.reference = s.reference);
