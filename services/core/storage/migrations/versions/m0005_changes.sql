-- Packed as in observations; NULL of both in what was changed before this version.
ALTER TABLE observation_changes ADD COLUMN old_quality smallint, ADD COLUMN new_quality smallint;
