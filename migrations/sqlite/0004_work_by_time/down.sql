DROP INDEX attempts_work;
