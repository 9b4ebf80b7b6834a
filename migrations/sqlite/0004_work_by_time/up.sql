-- Work that a wrong clock planned too far ahead is found at every turn, among many attempts that are only watched.
CREATE INDEX attempts_work ON attempts (work_at) WHERE work_at IS NOT NULL;
