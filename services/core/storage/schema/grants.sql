-- Least privilege: what each service's role may do. Run after every migration; a role that does not
-- exist on this server is passed over (a server of one's own may run everything under one role).
CREATE OR REPLACE FUNCTION pg_temp.allow(role_name text, privileges text, tables text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
        EXECUTE format('GRANT %s ON %s TO %I', privileges, tables, role_name);
    END IF;
END $$;

SELECT pg_temp.allow(role, 'USAGE', 'SCHEMA public')
FROM unnest('{alatau_ingest,alatau_rules,alatau_history,alatau_api,alatau_door,alatau_reader}'::text[]) role;

SELECT pg_temp.allow('alatau_ingest', 'SELECT', 'registry_state, districts, observed_properties, sensors, device_types,
    device_type_channels, things, devices, device_hosts, frames, datastreams, datastream_slots, latest_observations, publisher_sequences,
    publisher_totals, ledger_violations');
SELECT pg_temp.allow('alatau_ingest', 'SELECT, INSERT, UPDATE, DELETE', 'observations');
SELECT pg_temp.allow(role, 'TEMPORARY', format('DATABASE %I', current_database())) FROM unnest('{alatau_ingest,alatau_history}'::text[]) role;
SELECT pg_temp.allow('alatau_ingest', 'SELECT, INSERT', 'observation_changes, rejected_messages, event_log');
SELECT pg_temp.allow('alatau_ingest', 'SELECT, UPDATE', 'log_streams');
SELECT pg_temp.allow('alatau_ingest', 'SELECT', 'log_cursors');
SELECT pg_temp.allow('alatau_ingest', 'SELECT, INSERT, UPDATE', 'format_memory');
SELECT pg_temp.allow('alatau_ingest', 'SELECT, INSERT, DELETE', 'set_aside');
SELECT pg_temp.allow('alatau_ingest', 'SELECT, INSERT, UPDATE', 'floods');
SELECT pg_temp.allow(role, 'SELECT', 'floods') FROM unnest('{alatau_rules,alatau_api,alatau_reader}'::text[]) role;
SELECT pg_temp.allow('alatau_ingest', 'SELECT, UPDATE (sent_at, attempts, answered_at, ok, detail, sealed, expired_at)', 'commands');
SELECT pg_temp.allow('alatau_ingest', 'EXECUTE', 'FUNCTION publisher_proofs');
SELECT pg_temp.allow('alatau_history', 'SELECT, INSERT, DELETE', 'commands');
SELECT pg_temp.allow('alatau_history', 'SELECT (command_id)', 'rotations');
SELECT pg_temp.allow('alatau_api', 'INSERT', 'commands, corrections');
SELECT pg_temp.allow('alatau_ingest', 'SELECT, UPDATE (done_at, outcome, detail)', 'corrections');
SELECT pg_temp.allow(role, 'SELECT', 'corrections') FROM unnest('{alatau_api,alatau_reader}'::text[]) role;
SELECT pg_temp.allow(role, 'SELECT (command_id, device_id, name, args, asked_by, asked_at, expires_at, sent_at, attempts, answered_at,
    ok, detail, expired_at)', 'commands')
FROM unnest('{alatau_api,alatau_reader}'::text[]) role;

SELECT pg_temp.allow('alatau_rules', 'SELECT', 'registry_state, districts, observed_properties, device_types, device_type_channels, things,
    thing_relations, devices, device_hosts, frames, datastreams, datastream_slots, rules, latest_observations, device_status, observations, users,
    ledger_violations');
SELECT pg_temp.allow('alatau_rules', 'SELECT, INSERT', 'event_log, journal');
SELECT pg_temp.allow('alatau_rules', 'SELECT, INSERT, UPDATE', 'alerts, log_cursors, rule_targets');
SELECT pg_temp.allow('alatau_rules', 'SELECT, INSERT, UPDATE, DELETE', 'rule_holds, rule_memory');
SELECT pg_temp.allow('alatau_rules', 'SELECT, UPDATE', 'log_streams');

SELECT pg_temp.allow('alatau_history', 'SELECT', 'registry_state, devices, frames, event_log, observations, log_streams');
SELECT pg_temp.allow('alatau_history', 'SELECT, INSERT, UPDATE, DELETE', 'latest_observations, device_status, publisher_totals,
    publisher_sequences, gaps, log_cursors');
SELECT pg_temp.allow('alatau_history', 'SELECT', 'ledger_violations');
SELECT pg_temp.allow('alatau_history', 'EXECUTE', 'FUNCTION event_log_drop_passed');

SELECT pg_temp.allow('alatau_api', 'SELECT', 'users, sessions, alembic_version');
SELECT pg_temp.allow('alatau_api', 'INSERT', 'event_log, journal, audit');
SELECT pg_temp.allow('alatau_api', 'UPDATE', 'log_streams');
SELECT pg_temp.allow('alatau_api', 'UPDATE (acknowledged_at, acknowledged_by, acknowledged_version, acknowledged_note, version, updated_at)', 'alerts');
SELECT pg_temp.allow('alatau_api', 'INSERT, DELETE, UPDATE', 'sessions');

SELECT pg_temp.allow(role, 'SELECT', 'fleets') FROM unnest('{alatau_api,alatau_reader}'::text[]) role;

SELECT pg_temp.allow('alatau_door', 'SELECT', 'registry_state, devices, credentials');
SELECT pg_temp.allow('alatau_door', 'SELECT, UPDATE (ended_at)', 'certificates');
-- It moves rotations on: asks the device, and puts what the device has confirmed in the old secret's place.
SELECT pg_temp.allow('alatau_door', 'SELECT, DELETE, UPDATE (on_trial, moved_at, trials, command_id)', 'rotations');
SELECT pg_temp.allow('alatau_door', 'UPDATE (secret_hash, issued_at, revision)', 'credentials');
SELECT pg_temp.allow('alatau_door', 'UPDATE (revision)', 'registry_state');
SELECT pg_temp.allow('alatau_door', 'INSERT, SELECT (command_id, device_id, answered_at, ok, detail, expired_at)', 'commands');
SELECT pg_temp.allow('alatau_door', 'INSERT', 'audit');
SELECT pg_temp.allow(role, 'SELECT', 'certificates')
FROM unnest('{alatau_api,alatau_reader}'::text[]) role;

-- Everything but secrets and what people are.
SELECT pg_temp.allow(role, 'SELECT', 'registry_state, districts, observed_properties, sensors, device_types, device_type_channels,
    things, thing_relations, devices, device_hosts, frames, datastreams, datastream_slots, observations, observation_changes, observations_flat,
    rejected_messages, latest_observations, device_status, publisher_totals, publisher_sequences, gaps, ledger_violations, log_streams,
    event_log, log_cursors,
    rules, alerts, journal, rule_holds, rule_memory, rule_targets, audit')
FROM unnest('{alatau_api,alatau_reader}'::text[]) role;

-- Dashboards: their own schema and nothing beside it. household_things names who is not shown: only the views ask it.
SELECT pg_temp.allow('alatau_grafana', 'USAGE', 'SCHEMA dashboards');
SELECT pg_temp.allow('alatau_grafana', 'SELECT', 'dashboards.districts, dashboards.things, dashboards.datastreams, dashboards.codes,
    dashboards.latest, dashboards.readings, dashboards.alerts, dashboards.publishers, dashboards.ledger, dashboards.rejections,
    dashboards.gaps, dashboards.violations, dashboards.log_batches, dashboards.consumers');
SELECT pg_temp.allow('alatau_grafana', 'EXECUTE', 'ALL FUNCTIONS IN SCHEMA dashboards');

-- The rejected inbox. The API asks; ingest reads again, and history forgets.
SELECT pg_temp.allow('alatau_ingest', 'SELECT, UPDATE (reason, detail, state, attempts, replay_id, settled_at, settled_by, note)', 'rejected_messages');
SELECT pg_temp.allow('alatau_ingest', 'SELECT, INSERT, UPDATE', 'rejection_floods');
SELECT pg_temp.allow('alatau_ingest', 'SELECT, UPDATE (finished_at, messages, mended, refused, lost)', 'replays');
SELECT pg_temp.allow('alatau_ingest', 'SELECT', 'channel_aliases, watches');
SELECT pg_temp.allow('alatau_ingest', 'SELECT, INSERT, DELETE', 'watch_reports');
SELECT pg_temp.allow('alatau_history', 'EXECUTE', 'FUNCTION rejected_drop_old, rejected_forget_payloads');
SELECT pg_temp.allow(role, 'SELECT', 'rejection_floods, replays, channel_aliases, operator_changes')
FROM unnest('{alatau_api,alatau_reader}'::text[]) role;
SELECT pg_temp.allow('alatau_api', 'INSERT, UPDATE (finished_at)', 'replays');
SELECT pg_temp.allow('alatau_api', 'UPDATE (state, settled_at, settled_by, note)', 'rejected_messages');
SELECT pg_temp.allow('alatau_api', 'SELECT, INSERT, UPDATE, DELETE', 'watches');
SELECT pg_temp.allow('alatau_api', 'SELECT', 'watch_reports');
-- Engineers mend the registry by the API: aliases, hard ranges, devices and who hosts them.
SELECT pg_temp.allow('alatau_api', 'INSERT, UPDATE', 'channel_aliases, operator_changes, devices, device_hosts, frames, datastreams, datastream_slots');
SELECT pg_temp.allow('alatau_api', 'UPDATE (hard_min, hard_max, revision)', 'observed_properties');
SELECT pg_temp.allow('alatau_api', 'UPDATE (revision)', 'registry_state, device_types');
SELECT pg_temp.allow('alatau_api', 'USAGE', 'SEQUENCE public_datastream_ids, internal_datastream_ids');
SELECT pg_temp.allow('alatau_api', 'TEMPORARY', format('DATABASE %I', current_database()));
