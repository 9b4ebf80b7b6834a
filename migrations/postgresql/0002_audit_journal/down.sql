ALTER TABLE credits DROP COLUMN by_hand;

DELETE FROM meta WHERE name = 'journal_head';

DROP TABLE journal;
