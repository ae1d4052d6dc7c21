-- Sam's store, version 1. Numbers are E.164 digits as integers; times are POSIX seconds.

CREATE TABLE meta (
    only_row       INTEGER PRIMARY KEY CHECK (only_row = 1),
    schema_version INTEGER NOT NULL,
    instance       TEXT    NOT NULL,
    epoch          INTEGER NOT NULL CHECK (epoch BETWEEN 1 AND 65535),
    behind         INTEGER NOT NULL DEFAULT 0 CHECK (behind IN (0, 1)),
    week           INTEGER NOT NULL DEFAULT 0,
    proved_epoch   INTEGER NOT NULL DEFAULT 0,
    created_at     REAL    NOT NULL,
    journal_seq    INTEGER NOT NULL DEFAULT 0,
    journal_mac    BLOB    NOT NULL DEFAULT x'',
    log_count      INTEGER NOT NULL DEFAULT 0,
    log_digest     BLOB    NOT NULL DEFAULT x'00000000000000000000000000000000',
    log_seal       BLOB    NOT NULL DEFAULT x'00000000000000000000000000000000',
    last_parcel    INTEGER NOT NULL DEFAULT 0,
    indexed        INTEGER NOT NULL DEFAULT 0
) STRICT;

-- The master keys under which parties are enrolled, each with its check from the key file.
CREATE TABLE master_key (
    id         INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 255),
    key_check  TEXT    NOT NULL
) STRICT;

-- The parties as they are now; window_bits is the 64-bit map as a signed integer. The generation of
-- a renewal is 0 where none was begun.
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
    share_repeats  INTEGER NOT NULL DEFAULT 0,
    renewal_generation INTEGER NOT NULL DEFAULT 0,
    renewal_epoch      INTEGER NOT NULL DEFAULT 0,
    renewal_master_id  INTEGER NOT NULL DEFAULT 0,
    told               INTEGER NOT NULL DEFAULT 0
) STRICT;

-- How many bad typed asks came for a party on the latest day on which one did.
CREATE TABLE bad_typed (
    number INTEGER PRIMARY KEY,
    day    INTEGER NOT NULL,
    bad    INTEGER NOT NULL CHECK (bad > 0)
) STRICT;

-- What Sam has still to tell a party; messages first to last, by their counters, carried it.
CREATE TABLE notice (
    id     INTEGER PRIMARY KEY,
    number INTEGER NOT NULL,
    topic  INTEGER NOT NULL,
    item   BLOB    NOT NULL,
    first  INTEGER NOT NULL DEFAULT 0,
    last   INTEGER NOT NULL DEFAULT 0,
    UNIQUE (number, topic, item)
) STRICT;

-- What the unexpired keys of a payer may pay together, by their expiry; kept where policy bounds it.
CREATE TABLE exposure (
    number INTEGER NOT NULL,
    expiry INTEGER NOT NULL,
    total  INTEGER NOT NULL,
    PRIMARY KEY (number, expiry)
) STRICT, WITHOUT ROWID;

-- Money put into purses; refund_of is the serial of a payment that was never taken.
CREATE TABLE load (
    number    INTEGER NOT NULL,
    load      INTEGER NOT NULL,
    currency  TEXT    NOT NULL,
    amount    INTEGER NOT NULL CHECK (amount > 0),
    refund_of INTEGER,
    PRIMARY KEY (number, load)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX load_by_refund ON load (number, refund_of) WHERE refund_of IS NOT NULL;

-- The logs of the phones. generation is the SIM's own in the key, other is the other party.
CREATE TABLE log_entry (
    number           INTEGER NOT NULL,
    serial           INTEGER NOT NULL,
    currency         TEXT    NOT NULL,
    kind             INTEGER NOT NULL,
    generation       INTEGER NOT NULL,
    other            INTEGER NOT NULL,
    other_generation INTEGER NOT NULL,
    epoch            INTEGER NOT NULL,
    n                INTEGER NOT NULL,
    payment          INTEGER NOT NULL,
    amount           INTEGER NOT NULL,
    week             INTEGER NOT NULL,
    filed_at         REAL    NOT NULL,
    PRIMARY KEY (number, serial)
) STRICT, WITHOUT ROWID;

-- Entries that came under a serial that another one has.
CREATE TABLE log_contradiction (
    number   INTEGER NOT NULL,
    serial   INTEGER NOT NULL,
    currency TEXT    NOT NULL,
    octets   BLOB    NOT NULL,
    filed_at REAL    NOT NULL,
    PRIMARY KEY (number, serial, currency, octets)
) STRICT, WITHOUT ROWID;

-- Every decision on an authentic ask, in the order made. A refusal has a reason, a grant the rest.
-- audit_key names the master key of the seals; purged is the mark of a decision without its parties.
-- identity is that of the carrier's message that brought the ask, so that a redelivery is known.
CREATE TABLE decision (
    id                INTEGER PRIMARY KEY,
    asker             INTEGER,
    asker_generation  INTEGER NOT NULL,
    counter           INTEGER NOT NULL,
    ask_mac           BLOB    NOT NULL,
    holder            INTEGER,
    week              INTEGER NOT NULL,
    decided_at        REAL    NOT NULL,
    carrier           TEXT    NOT NULL,
    identity          TEXT    NOT NULL DEFAULT '',
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
    audit_key         INTEGER,
    digest            BLOB,
    purged            BLOB,
    CHECK ((reason IS NULL) = (n IS NOT NULL)),
    CHECK ((asker IS NULL) = (purged IS NOT NULL))
) STRICT;

-- Where the decision on an ask is, and the highest n of a pair, in the log up to meta.indexed. Both are
-- written long after the decisions: who reads them reads the views below.
CREATE TABLE ask_index (
    asker      INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    counter    INTEGER NOT NULL,
    decision   INTEGER NOT NULL,
    PRIMARY KEY (asker, generation, counter)
) STRICT, WITHOUT ROWID;

CREATE TABLE pair_index (
    asker             INTEGER NOT NULL,
    asker_generation  INTEGER NOT NULL,
    holder            INTEGER NOT NULL,
    holder_generation INTEGER NOT NULL,
    epoch             INTEGER NOT NULL,
    last_n            INTEGER NOT NULL CHECK (last_n BETWEEN 1 AND 255),
    PRIMARY KEY (asker, asker_generation, holder, holder_generation, epoch)
) STRICT, WITHOUT ROWID;

CREATE VIEW ask AS
    SELECT asker, generation, counter, decision FROM ask_index
    UNION ALL
    SELECT asker, asker_generation, counter, id FROM decision
    WHERE id > (SELECT indexed FROM meta) AND asker IS NOT NULL;

-- A pair may have several rows here: the highest counts.
CREATE VIEW pair AS
    SELECT asker, asker_generation, holder, holder_generation, epoch, last_n FROM pair_index
    UNION ALL
    SELECT asker, asker_generation, holder, holder_generation, epoch, n FROM decision
    WHERE id > (SELECT indexed FROM meta) AND asker IS NOT NULL AND n IS NOT NULL;

-- What phones sent and Sam acted on, but for new asks, which `decision` names; the same carrier and
-- identity again is a redelivery.
CREATE TABLE inbound (
    id       INTEGER PRIMARY KEY,
    carrier  TEXT NOT NULL,
    identity TEXT NOT NULL,
    came_at  REAL NOT NULL
) STRICT;

CREATE UNIQUE INDEX inbound_by_identity ON inbound (carrier, identity);

-- Parts of long messages that wait for the others. Their came_at, and the times in the tables
-- below but for queued_at and settled_at, are seconds of service.
CREATE TABLE part (
    id        INTEGER PRIMARY KEY,
    carrier   TEXT    NOT NULL,
    identity  TEXT    NOT NULL,
    sender    TEXT    NOT NULL,
    reference INTEGER NOT NULL,
    total     INTEGER NOT NULL,
    number    INTEGER NOT NULL,
    text      TEXT    NOT NULL,
    came_at   REAL    NOT NULL
) STRICT;

CREATE INDEX part_by_message ON part (carrier, sender, reference, total);
CREATE INDEX part_by_sender ON part (sender);
CREATE INDEX part_by_identity ON part (carrier, identity);

-- Answers on their way: to the ask of a decision, or to something else. carrier brought what each one
-- answers, route was last handed it; unknown counts the attempts of which nobody knows whether they
-- reached the network. No id comes twice: meta.last_parcel is the highest given. (Of more than two
-- values an IN would make a table, at each row.)
CREATE TABLE outbox (
    id         INTEGER PRIMARY KEY,
    decision   INTEGER,
    network    TEXT    NOT NULL,
    carrier    TEXT    NOT NULL,
    recipient  INTEGER NOT NULL,
    repeat     INTEGER NOT NULL CHECK (repeat IN (0, 1)),
    text       TEXT    NOT NULL,
    queued_at  REAL    NOT NULL,
    expires_at REAL    NOT NULL,
    due_at     REAL    NOT NULL,
    state      TEXT    NOT NULL CHECK (
        state = 'accepted' OR state = 'delivered' OR state = 'queued' OR state = 'handed'
        OR state = 'retrying' OR state = 'failed' OR state = 'expired'
    ),
    attempts   INTEGER NOT NULL,
    route      TEXT,
    unknown    INTEGER NOT NULL DEFAULT 0,
    carrier_id TEXT,
    reason     TEXT    NOT NULL DEFAULT '',
    settled_at REAL
) STRICT;

CREATE INDEX outbox_by_decision ON outbox (decision) WHERE decision IS NOT NULL;
CREATE INDEX outbox_due ON outbox (network, repeat, due_at) WHERE state IN ('queued', 'retrying');
CREATE INDEX outbox_handed ON outbox (id) WHERE state = 'handed';
CREATE INDEX outbox_by_carrier_id ON outbox (route, carrier_id) WHERE carrier_id IS NOT NULL;

-- Answers handed over in the transaction that decided on them, a row for all that one carrier was
-- given then, first the id of the first one. answers is JSON: of each its decision, carrier,
-- recipient, repeat and text. Each answer gets a row in outbox once it is known what became of it;
-- with the last one of them this row goes.
CREATE TABLE handed (
    first      INTEGER PRIMARY KEY,
    network    TEXT    NOT NULL,
    route      TEXT    NOT NULL,
    queued_at  REAL    NOT NULL,
    expires_at REAL    NOT NULL,
    due_at     REAL    NOT NULL,
    answers    TEXT    NOT NULL
) STRICT;

-- Reports under ids that no answer has been taken under yet.
CREATE TABLE early_report (
    id         INTEGER PRIMARY KEY,
    carrier    TEXT NOT NULL,
    carrier_id TEXT NOT NULL,
    state      TEXT NOT NULL,
    reason     TEXT NOT NULL,
    came_at    REAL NOT NULL
) STRICT;

CREATE UNIQUE INDEX early_report_by_id ON early_report (carrier, carrier_id);

-- For how long Sam has been running, all its runs together.
CREATE TABLE service_time (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    seconds  REAL    NOT NULL
) STRICT;
