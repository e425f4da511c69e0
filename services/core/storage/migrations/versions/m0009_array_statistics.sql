-- Nobody asks for the elements of these arrays, and to count the most frequent ones takes autovacuum a processor for seconds.
ALTER TABLE observations
    ALTER COLUMN results SET STATISTICS 0,
    ALTER COLUMN quality SET STATISTICS 0;
ALTER TABLE latest_observations
    ALTER COLUMN results SET STATISTICS 0,
    ALTER COLUMN times SET STATISTICS 0,
    ALTER COLUMN quality SET STATISTICS 0;
