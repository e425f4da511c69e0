# Two commands start the city on a bare Debian 12 or 13: `git clone …` and `make demo`. Nothing else need be there but make and git.
PYTHON := /usr/bin/python3
BIN := .venv/bin

.PHONY: help install install-for-tests demo test test-long faults check format bench bench-city fuzz fuzz-ingest compose-check grafana-check

help:
	@echo "make demo     install what is missing and run the whole city here; Ctrl-C stops it"
	@echo "make install  only install: servers, TimescaleDB, the locked Python environment, the built console"
	@echo "make test     every test, against the real broker and database"
	@echo "make test-long  what takes a quarter of an hour and more"
	@echo "make faults   SEED= MINUTES=60: kills, cuts and fills a whole city under load; writes docs/reliability.md"
	@echo "make check    format, lint, types, architecture, schema = migrations; the same for the console"
	@echo "make bench    what this machine can do; make bench-city: with all of Alatau in 2050"
	@echo "make fuzz     ten thousand requests that nobody thought of, to every public and operator address"
	@echo "make fuzz-ingest  COUNT=1000000 SEED=0: as many generated topics and payloads over real MQTT, and what became of each"
	@echo "make compose-check  on a machine with Docker: whether the containers work"

install:
	@$(PYTHON) -B -m deploy.native.install

install-for-tests:
	@$(PYTHON) -B -m deploy.native.install --for-tests

demo: install
	@$(BIN)/alatau up --incident burst_main@60

# Two processes at once, each with servers of its own; the tests of a file stay together.
test: install-for-tests
	$(BIN)/pytest --numprocesses=2 --dist=loadfile --no-loadscope-reorder $(PYTEST_ARGUMENTS)

test-long: install-for-tests
	$(BIN)/pytest -m long $(PYTEST_ARGUMENTS)

# A run in parts: FAULTS_ARGUMENTS=--add adds to what docs/reliability.md has.
faults: install-for-tests
	$(BIN)/python -m tests.faults --minutes $(or $(MINUTES),2) --seed $(or $(SEED),0) \
		$(if $(filter-out 1 2 3,$(or $(MINUTES),2)),--docs) $(FAULTS_ARGUMENTS)

check: install-for-tests
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	@$(PYTHON) -B -m deploy.native.npm run check
	$(BIN)/pytest -q tests/test_architecture.py tests/migration

format: install-for-tests
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

bench: install
	$(BIN)/alatau bench ingest
	$(BIN)/alatau bench fairness

# Twenty minutes and 20 GB: all of Alatau in 2050.
bench-city: install
	$(BIN)/alatau bench city --speed $(or $(SPEED),10) --minutes $(or $(MINUTES),10)

fuzz: install-for-tests
	$(BIN)/pytest -q -m fuzz tests/integration/api/test_fuzz.py

# Four minutes for a million on two quiet cores. FUZZ_ARGUMENTS=--json.
fuzz-ingest: install-for-tests
	$(BIN)/python -m tests.fuzz_ingest --count $(or $(COUNT),1000000) --seed $(or $(SEED),0) $(FUZZ_ARGUMENTS)

# Of a real Grafana: applies twice, asks every panel. The token: ALATAU_GRAFANA_TOKEN, or in GRAFANA_ARGUMENTS.
grafana-check: install
	$(BIN)/alatau grafana check --url $(URL) $(GRAFANA_ARGUMENTS)

compose-check:
	@deploy/try-compose.sh
