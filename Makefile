# Two commands start the city on a bare Debian: `make demo` installs what is missing and runs it; Ctrl-C stops it.
PYTHON := /usr/bin/python3
ALATAU := .venv/bin/alatau

.PHONY: install
install:
	@$(PYTHON) -B -m deploy.native.install
