DROP INDEX attempts_look;

DROP INDEX attempts_work;
