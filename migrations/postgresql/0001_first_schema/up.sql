-- Times are milliseconds since 1970 (UTC), money is minor units beside a currency code, decimals and JSON are text.
-- The same tables as in migrations/sqlite.

CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE nonces (
    key_id TEXT    NOT NULL PRIMARY KEY,
    last   BIGINT  NOT NULL
);

CREATE TABLE connections (
    id           TEXT    NOT NULL PRIMARY KEY,
    processor    TEXT    NOT NULL CHECK (processor IN ('bitpay', 'btcpay', 'blink')),
    environment  TEXT    NOT NULL CHECK (environment IN ('production', 'test')),
    base_url     TEXT    NOT NULL,
    status       TEXT    NOT NULL CHECK (status IN ('pairing', 'active', 'retired', 'erased', 'failed')),
    sin          TEXT    NOT NULL,
    secrets      BYTEA,
    created_at   BIGINT  NOT NULL,
    activated_at BIGINT,
    retired_at   BIGINT,
    failure      TEXT,
    CONSTRAINT connections_erased_has_no_secrets CHECK (status <> 'erased' OR secrets IS NULL)
);

CREATE UNIQUE INDEX connections_one_active ON connections (processor) WHERE status = 'active';

CREATE TABLE attempts (
    id              TEXT    NOT NULL PRIMARY KEY,
    hook            TEXT    NOT NULL UNIQUE,
    result_token    TEXT    NOT NULL UNIQUE,
    connection      TEXT    NOT NULL REFERENCES connections (id),
    processor       TEXT    NOT NULL CHECK (processor IN ('bitpay', 'btcpay', 'blink')),
    environment     TEXT    NOT NULL CHECK (environment IN ('production', 'test')),
    customer        BIGINT  NOT NULL,
    payable         TEXT    NOT NULL CHECK (payable IN ('invoice', 'proforma_invoice', 'top_up')),
    document_id     BIGINT,
    document_number TEXT,
    currency        TEXT    NOT NULL CHECK (length(currency) = 3),
    due_minor       BIGINT  NOT NULL CHECK (due_minor > 0),
    price_minor     BIGINT  NOT NULL CHECK (price_minor > 0),
    document_total  TEXT    NOT NULL,
    fee_gross_minor BIGINT  CHECK (fee_gross_minor > 0),
    fee_net         TEXT,
    fee_vat_percent TEXT,
    fee_text        TEXT,
    fee_category    BIGINT,
    created_at      BIGINT  NOT NULL,
    state           TEXT    NOT NULL CHECK (state IN
        ('opening', 'awaiting_payment', 'confirming', 'settled', 'recorded', 'expired', 'refused')),
    invoice         TEXT,
    checkout_url    TEXT,
    expires_at      BIGINT,
    opened_at       BIGINT,
    open_key        TEXT UNIQUE,
    settled_at      BIGINT,
    recorded_at     BIGINT,
    monitor_until   BIGINT  NOT NULL,
    last_seen       TEXT,
    look_at         BIGINT,
    work_at         BIGINT,
    failures        BIGINT  NOT NULL CHECK (failures >= 0),
    version         BIGINT  NOT NULL,
    looks           BIGINT  NOT NULL DEFAULT 0,
    last_look       BIGINT,
    lease_owner     TEXT,
    lease_until     BIGINT,
    -- When a worker may take it: the earlier of look_at and work_at, but not before the end of a lease.
    ready_at        BIGINT  GENERATED ALWAYS AS (
        CASE
            WHEN look_at IS NULL AND work_at IS NULL THEN NULL
            WHEN look_at IS NOT NULL AND (work_at IS NULL OR look_at <= work_at) THEN
                CASE WHEN lease_until > look_at THEN lease_until ELSE look_at END
            ELSE
                CASE WHEN lease_until > work_at THEN lease_until ELSE work_at END
        END
    ) STORED,
    CONSTRAINT attempts_document_is_whole CHECK (
        (payable = 'top_up' AND document_id IS NULL AND document_number IS NULL)
        OR (payable <> 'top_up' AND document_id IS NOT NULL AND document_number IS NOT NULL)
    ),
    CONSTRAINT attempts_fee_is_whole CHECK (
        (fee_gross_minor IS NULL AND fee_net IS NULL AND fee_vat_percent IS NULL
            AND fee_text IS NULL AND fee_category IS NULL)
        OR (fee_gross_minor IS NOT NULL AND fee_net IS NOT NULL AND fee_vat_percent IS NOT NULL
            AND fee_text IS NOT NULL AND fee_category IS NOT NULL)
    ),
    CONSTRAINT attempts_price_is_the_sum CHECK (price_minor = due_minor + coalesce(fee_gross_minor, 0)),
    CONSTRAINT attempts_opened_is_whole CHECK (
        (invoice IS NULL AND checkout_url IS NULL AND expires_at IS NULL AND opened_at IS NULL)
        OR (invoice IS NOT NULL AND checkout_url IS NOT NULL
            AND expires_at IS NOT NULL AND opened_at IS NOT NULL)
    ),
    CONSTRAINT attempts_lease_is_whole CHECK ((lease_owner IS NULL) = (lease_until IS NULL)),
    CONSTRAINT attempts_one_per_invoice UNIQUE (invoice, connection)
);

CREATE INDEX attempts_ready ON attempts (ready_at) WHERE ready_at IS NOT NULL;
CREATE INDEX attempts_leased ON attempts (lease_until) WHERE lease_until IS NOT NULL;
CREATE INDEX attempts_newest ON attempts (created_at, id);
CREATE INDEX attempts_of_customer ON attempts (customer, created_at);
CREATE INDEX attempts_of_document ON attempts (document_number);
CREATE INDEX attempts_by_state ON attempts (state, created_at);
CREATE INDEX attempts_of_connection ON attempts (connection, monitor_until);

CREATE TABLE hints (
    attempt TEXT    NOT NULL REFERENCES attempts (id),
    wake    BIGINT  NOT NULL,
    at      BIGINT  NOT NULL,
    PRIMARY KEY (attempt, wake)
);

CREATE TABLE credits (
    key          TEXT    NOT NULL PRIMARY KEY CHECK (length(key) BETWEEN 4 AND 32),
    attempt      TEXT    NOT NULL REFERENCES attempts (id),
    connection   TEXT    NOT NULL REFERENCES connections (id),
    invoice      TEXT    NOT NULL,
    n            BIGINT  NOT NULL CHECK (n > 0),
    amount_minor BIGINT  NOT NULL CHECK (amount_minor > 0),
    currency     TEXT    NOT NULL CHECK (length(currency) = 3),
    target       TEXT    NOT NULL CHECK (target IN ('undecided', 'document', 'balance')),
    date         TEXT    NOT NULL,
    made_at      BIGINT  NOT NULL,
    CONSTRAINT credits_one_per_tranche UNIQUE (connection, invoice, n)
);

CREATE INDEX credits_of_attempt ON credits (attempt, n);
CREATE INDEX credits_oldest ON credits (made_at);
CREATE INDEX credits_undecided ON credits (made_at) WHERE target = 'undecided';

CREATE TABLE postings (
    id             TEXT    NOT NULL PRIMARY KEY,
    attempt        TEXT    NOT NULL REFERENCES attempts (id),
    credit         TEXT REFERENCES credits (key),
    kind           TEXT    NOT NULL CHECK (kind IN ('fee_item', 'document_payment', 'balance_payment',
        'fee_debit', 'document_status', 'statement_record')),
    place          BIGINT  NOT NULL CHECK (place > 0),
    state          TEXT    NOT NULL CHECK (state IN
        ('ready', 'posting', 'unknown', 'posted', 'duplicate', 'dropped')),
    not_before     BIGINT,
    begun_at       BIGINT,
    first_absent   BIGINT,
    search_at      BIGINT,
    splynx_id      BIGINT,
    splynx_ids     TEXT,
    body           TEXT    NOT NULL,
    tries          BIGINT  NOT NULL CHECK (tries >= 0),
    first_begun_at BIGINT,
    last_error     TEXT,
    CONSTRAINT postings_in_order UNIQUE (attempt, place),
    CONSTRAINT postings_state_is_whole CHECK (
        (not_before IS NOT NULL) = (state = 'ready')
        AND (begun_at IS NOT NULL) = (state IN ('posting', 'unknown'))
        AND (search_at IS NOT NULL) = (state = 'unknown')
        AND (first_absent IS NULL OR state = 'unknown')
        AND (splynx_id IS NULL OR state = 'posted')
        AND (splynx_ids IS NOT NULL) = (state = 'duplicate')
    )
);

-- Whatever goes wrong above this file: one credit has one living posting of a kind.
CREATE UNIQUE INDEX postings_one_per_kind ON postings (credit, kind) WHERE state <> 'dropped';
CREATE INDEX postings_open ON postings (state, credit) WHERE state IN ('ready', 'posting', 'unknown');

CREATE TABLE reviews (
    id          TEXT    NOT NULL PRIMARY KEY,
    attempt     TEXT    NOT NULL REFERENCES attempts (id),
    reason      TEXT    NOT NULL CHECK (reason IN ('not_our_invoice', 'taken_back', 'less_than_credited',
        'duplicate', 'refused', 'cannot_search', 'fee_refused', 'document_changed', 'not_marked_paid',
        'currency_changed', 'paid_inexactly', 'books_differ', 'connection_dead')),
    words       TEXT    NOT NULL,
    opened_at   BIGINT  NOT NULL,
    closed_at   BIGINT,
    closed_by   TEXT,
    closed_note TEXT,
    CONSTRAINT reviews_closed_is_whole CHECK (
        (closed_at IS NULL AND closed_by IS NULL AND closed_note IS NULL)
        OR (closed_at IS NOT NULL AND closed_by IS NOT NULL AND closed_note IS NOT NULL)
    )
);

CREATE UNIQUE INDEX reviews_one_open ON reviews (attempt, reason) WHERE closed_at IS NULL;
CREATE INDEX reviews_of_attempt ON reviews (attempt, opened_at);
