-- Every step of every attempt, chained: `mac` covers the row and the `mac` before it (src/db/journal.rs). No foreign key:
-- the journal must be able to tell of an attempt that somebody deleted.
CREATE TABLE journal (
    seq      BIGINT  NOT NULL PRIMARY KEY CHECK (seq > 0),
    at       BIGINT  NOT NULL,
    attempt  TEXT,
    who      TEXT    NOT NULL,
    what     TEXT    NOT NULL,
    words    TEXT    NOT NULL,
    previous BYTEA   NOT NULL,
    mac      BYTEA   NOT NULL
);

CREATE INDEX journal_of_attempt ON journal (attempt, seq);

-- The last row's number and mac. Whoever writes rows locks it first.
INSERT INTO meta (name, value)
VALUES ('journal_head', '0 0000000000000000000000000000000000000000000000000000000000000000');

-- What a person did about the credit: 0 nothing, 1 decided where it goes, 2 made it. The add-on does not decide that anew.
ALTER TABLE credits ADD COLUMN by_hand BIGINT NOT NULL DEFAULT 0 CHECK (by_hand BETWEEN 0 AND 2);
