-- Up Migration

-- Offset in the partition's dead-letter topic below which every letter's place is committed: where
-- the next owner begins to look for letters whose commit never came.
alter table projection_checkpoint add column dead_letters_from int8 not null default 0;

-- Down Migration
