-- The same keys. A bounded repetition takes PostgreSQL's regular expressions 7 µs a key, which is a third of registering a device.
ALTER TABLE devices
    DROP CONSTRAINT devices_key_check,
    ADD CONSTRAINT devices_key_check CHECK (key ~ '^[a-z0-9][a-z0-9_-]*$' AND length(key) <= 64);
