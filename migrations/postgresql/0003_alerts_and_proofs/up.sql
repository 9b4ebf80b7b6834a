-- The same tables as in migrations/sqlite.

CREATE TABLE alerts (
    channel   TEXT    NOT NULL CHECK (channel IN ('mail', 'webhook', 'log')),
    kind      TEXT    NOT NULL CHECK (kind IN
        ('review', 'duplicate', 'late_credit', 'finding', 'reconcile', 'connection', 'api_key')),
    subject   TEXT    NOT NULL,
    reason    TEXT    NOT NULL,
    attempt   TEXT REFERENCES attempts (id),
    words     TEXT    NOT NULL,
    since     BIGINT  NOT NULL,
    told_at   BIGINT,
    times     BIGINT  NOT NULL CHECK (times >= 0),
    closed_at BIGINT,
    batch     TEXT,
    PRIMARY KEY (channel, kind, subject),
    CONSTRAINT alerts_told_is_whole CHECK ((told_at IS NULL) = (times = 0))
);

CREATE INDEX alerts_of_subject ON alerts (kind, subject);
CREATE INDEX alerts_due ON alerts (channel, told_at);
CREATE INDEX alerts_in_batch ON alerts (batch) WHERE batch IS NOT NULL;

-- One sender at a time per channel, whichever process it lives in.
CREATE TABLE alert_channels (
    channel       TEXT    NOT NULL PRIMARY KEY CHECK (channel IN ('mail', 'webhook', 'log')),
    batch         TEXT,
    claimed_until BIGINT,
    failures      BIGINT  NOT NULL CHECK (failures >= 0),
    next_try      BIGINT  NOT NULL,
    last_told_at  BIGINT,
    last_error    TEXT,
    CONSTRAINT alert_channels_claim_is_whole CHECK ((batch IS NULL) = (claimed_until IS NULL))
);

INSERT INTO alert_channels (channel, failures, next_try) VALUES ('mail', 0, 0), ('webhook', 0, 0), ('log', 0, 0);

CREATE TABLE proofs (
    day      TEXT    NOT NULL PRIMARY KEY,
    made_at  BIGINT  NOT NULL,
    since    BIGINT  NOT NULL,
    attempts BIGINT  NOT NULL CHECK (attempts >= 0),
    asked    BIGINT  NOT NULL CHECK (asked >= 0),
    listed   BIGINT  NOT NULL CHECK (listed >= 0),
    findings BIGINT  NOT NULL CHECK (findings >= 0),
    agreed   BIGINT  NOT NULL CHECK (agreed IN (0, 1)),
    -- {"USD":{"processor":"1.00","ours":"1.00","on_the_way":"0","splynx":"1.00"}}
    sums     TEXT    NOT NULL
);
