ALTER TABLE credits DROP COLUMN by_person;

DELETE FROM meta WHERE name = 'journal_head';

DROP TABLE journal;
