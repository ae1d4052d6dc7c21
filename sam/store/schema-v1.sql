-- Sam's store, version 1. Numbers are E.164 digits as integers; times are POSIX seconds.

CREATE TABLE meta (
    only_row       INTEGER PRIMARY KEY CHECK (only_row = 1),
    schema_version INTEGER NOT NULL,
    instance       TEXT    NOT NULL,
    epoch          INTEGER NOT NULL CHECK (epoch BETWEEN 1 AND 65535),
    behind         INTEGER NOT NULL DEFAULT 0 CHECK (behind IN (0, 1)),
    created_at     REAL    NOT NULL
) STRICT;

-- The master keys under which parties are enrolled, each with its check from the key file.
CREATE TABLE master_key (
    id         INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 255),
    key_check  TEXT    NOT NULL
) STRICT;

-- The parties as they are now; window_bits is the 64-bit map as a signed integer.
CREATE TABLE party (
    number         INTEGER PRIMARY KEY,
    generation     INTEGER NOT NULL,
    epoch          INTEGER NOT NULL,
    master_id      INTEGER NOT NULL,
    enrolled_at    REAL    NOT NULL,
    suspended      INTEGER NOT NULL DEFAULT 0 CHECK (suspended IN (0, 1)),
    window_highest INTEGER NOT NULL DEFAULT 0,
    window_bits    INTEGER NOT NULL DEFAULT 0,
    share_day      INTEGER NOT NULL DEFAULT 0,
    share_asks     INTEGER NOT NULL DEFAULT 0,
    share_repeats  INTEGER NOT NULL DEFAULT 0
) STRICT;

-- The highest n issued; a row is written before any answer that carries its n.
CREATE TABLE pair (
    asker             INTEGER NOT NULL,
    asker_generation  INTEGER NOT NULL,
    holder            INTEGER NOT NULL,
    holder_generation INTEGER NOT NULL,
    epoch             INTEGER NOT NULL,
    last_n            INTEGER NOT NULL CHECK (last_n BETWEEN 1 AND 255),
    PRIMARY KEY (asker, asker_generation, holder, holder_generation, epoch)
) STRICT, WITHOUT ROWID;

-- Every decision on an authentic ask, in the order made. A refusal has a reason, a grant the rest.
CREATE TABLE decision (
    id                INTEGER PRIMARY KEY,
    asker             INTEGER NOT NULL,
    asker_generation  INTEGER NOT NULL,
    counter           INTEGER NOT NULL,
    ask_mac           BLOB    NOT NULL,
    holder            INTEGER NOT NULL,
    week              INTEGER NOT NULL,
    decided_at        REAL    NOT NULL,
    carrier           TEXT    NOT NULL,
    reason            INTEGER,
    holder_generation INTEGER,
    epoch             INTEGER,
    n                 INTEGER,
    limit_class       INTEGER,
    direction         INTEGER,
    expiry            INTEGER,
    form              INTEGER,
    answer            BLOB,
    repeats           INTEGER NOT NULL DEFAULT 0,
    CHECK ((reason IS NULL) = (n IS NOT NULL))
) STRICT;

CREATE UNIQUE INDEX decision_by_ask ON decision (asker, asker_generation, counter);

-- Answers on their way. carrier and identity name the inbound message that each one answers.
CREATE TABLE outbox (
    id         INTEGER PRIMARY KEY,
    carrier    TEXT    NOT NULL,
    identity   TEXT    NOT NULL,
    recipient  INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    counter    INTEGER NOT NULL,
    text       TEXT    NOT NULL,
    queued_at  REAL    NOT NULL,
    expires_at REAL    NOT NULL,
    due_at     REAL    NOT NULL,
    state      TEXT    NOT NULL CHECK (
        state IN ('queued', 'handed', 'accepted', 'delivered', 'failed', 'expired')
    ),
    attempts   INTEGER NOT NULL DEFAULT 0,
    carrier_id TEXT,
    reason     TEXT    NOT NULL DEFAULT '',
    settled_at REAL,
    FOREIGN KEY (recipient, generation, counter)
        REFERENCES decision (asker, asker_generation, counter)
) STRICT;

CREATE UNIQUE INDEX outbox_by_cause ON outbox (carrier, identity);
CREATE INDEX outbox_by_ask ON outbox (recipient, generation, counter);
CREATE INDEX outbox_due ON outbox (carrier, due_at) WHERE state = 'queued';
CREATE INDEX outbox_handed ON outbox (carrier) WHERE state = 'handed';
CREATE INDEX outbox_accepted ON outbox (carrier, carrier_id) WHERE state = 'accepted';
