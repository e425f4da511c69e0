#!/bin/sh
# For a machine with a container engine: builds the image, starts everything as a project of its own, looks whether it
# works, breaks a little, and takes it away again. `make compose-check`
set -eu
cd "$(dirname "$0")/.."
export COMPOSE_PROJECT_NAME=alatau-check
export ALATAU_API_PORT="${ALATAU_API_PORT:-18620}"
export ALATAU_MQTTS_PORT="${ALATAU_MQTTS_PORT:-18628}"
export ALATAU_MQTTS_CERTIFICATE_PORT="${ALATAU_MQTTS_CERTIFICATE_PORT:-18629}"
export ALATAU_GRAFANA_PORT="${ALATAU_GRAFANA_PORT:-18626}"
SITE="http://127.0.0.1:$ALATAU_API_PORT"

say() { printf '== %s\n' "$*"; }

compose() { docker compose --profile demo "$@"; }

# ask SECONDS WHAT COMMAND…: again and again until the command succeeds.
ask() {
    left=$1 what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        left=$((left - 1))
        if [ "$left" -le 0 ]; then say "FAILED: $what"; compose ps --all; compose logs --tail 40; exit 1; fi
        sleep 1
    done
    say "$what"
}

flows() { curl -fsS "$SITE/open/v1/latest?limit=1" | grep -q phenomenon_time; }

if compose ps --quiet | grep -q .; then
    say "the project $COMPOSE_PROJECT_NAME runs already: docker compose -p $COMPOSE_PROJECT_NAME down --volumes"
    exit 1
fi
trap 'compose down --volumes --timeout 60' EXIT
compose config --quiet
say "the file is understood"
compose build
compose up --detach --wait --wait-timeout 600
say "all healthy"
ask 60 "the API is ready" curl -fsS "$SITE/health/ready"
ask 60 "telemetry flows" flows
ask 60 "Grafana answers" curl -fsS "http://127.0.0.1:$ALATAU_GRAFANA_PORT/api/health"
compose exec -T database psql -U postgres -d alatau -Atc \
    "SELECT 'TimescaleDB ' || extversion || ', licence ' || current_setting('timescaledb.license') FROM pg_extension WHERE extname = 'timescaledb'"
compose exec -T ingest sh -c '! touch /opt/alatau/x 2>/dev/null && [ "$(id -u)" = 10001 ]'
say "ingest may not write its own program, and is not root"
compose exec -T broker sh -c 'kill -KILL "$(cat /var/lib/alatau/broker/mosquitto.pid)"' || :
compose up --detach --wait --wait-timeout 120
ask 60 "a killed broker came back" flows
say "well; now it is taken away"
