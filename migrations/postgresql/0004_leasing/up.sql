-- The order in which work is leased: the oldest money first, then what is not settled, by its age.
CREATE INDEX attempts_work ON attempts (settled_at, created_at, id) WHERE work_at IS NOT NULL;

CREATE INDEX attempts_look ON attempts (look_at, id) WHERE look_at IS NOT NULL;
