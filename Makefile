# `make up` runs the whole system, `make test` every test this machine supports, `make check` the checks of CI.
# Pass options to the command in ARGS: make up ARGS="--ports 9400"

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
NEW_ENOUGH := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11 python3.14; do \
	if $$name -c '$(NEW_ENOUGH)' >/dev/null 2>&1; then echo $$name; exit; fi; done; echo python3)
SCHEDULES := 5000
SOURCES := shared services deploy tests
# Tests wait for processes half of their time, so three workers run them on two cores. `loadfile` keeps the tests of a file
# on one worker, which shares its fixtures. The files keep their order (tests/order.py), the longest first, so that the
# workers finish at the same time.
PARALLEL := --numprocesses 3 --dist loadfile --no-loadscope-reorder
# Tests start hundreds of Python processes: each would compile the whole product if it could not keep the bytecode.
test check: export PYTHONDONTWRITEBYTECODE :=
ARGS ?=

.PHONY: up test check translations chaos bench soak compose-test compose-tool compose-labels
.SUFFIXES:

up: $(VENV)/.local
	@exec $(BIN)/chorus up $(ARGS)

test: $(VENV)/.test
	$(BIN)/python -m pytest $(PARALLEL) $(ARGS)

check: $(VENV)/.test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --strict $(SOURCES)
	$(BIN)/lint-imports
	$(BIN)/python -m pytest $(PARALLEL) $(ARGS)

# After a change of a text in code or templates: adds new texts to the catalogue and removes unused ones.
translations: $(VENV)/.test
	$(BIN)/pybabel -q extract --mapping-file pyproject.toml --keywords gettext_noop --add-location file --no-wrap \
		--output $(VENV)/chorus.pot shared services
	$(BIN)/pybabel -q update --input-file $(VENV)/chorus.pot --domain chorus --output-dir shared/locale \
		--ignore-obsolete --no-fuzzy-matching --ignore-pot-creation-date --no-wrap

# Kill, freeze and disconnect processes of a local stack under load, then audit it: make chaos N=2000 KILLS=20 SEED=1
chaos: N := 2000
chaos: KILLS := 20
chaos: SEED := 1
chaos: $(VENV)/.test
	@$(BIN)/python -m tests.chaos --inquiries $(N) --kills $(KILLS) --seed $(SEED) $(ARGS)

# Run before each release: docker-compose.yml on a container engine, from installation to upgrade.
# Without an engine the run is skipped; make compose-test INSTALL=1 installs one from packages.
compose-test: $(VENV)/.test
	@INSTALL=$(INSTALL) $(BIN)/python -m tests.compose $(ARGS)

# Unpack Docker Compose from packages if the machine has none, so that `make check` can validate docker-compose.yml with it.
compose-tool: $(VENV)/.test
	@$(BIN)/python -m tests.compose.packages

# Run after changing a file that docker-compose.yml mounts.
compose-labels: $(VENV)/.test
	@$(BIN)/python -m tests.compose.digests

# Compare Chorus with other libraries, in about 15 minutes. The other libraries are installed in .venv-bench.
# make bench ARGS="--quick" is a short trial run; ARGS="--only intake" measures one section.
bench: $(VENV)/.local .venv-bench/.rivals
	@$(BIN)/python -m tests.benchmarks $(ARGS)

# Takes hours: thousands of schedules of crashes, repeats, zombie processes and outages, then a long chaos run.
soak: N := 100000
soak: KILLS := 200
soak: SEED := 1
soak: $(VENV)/.test
	CHORUS_SCHEDULES=$(SCHEDULES) $(BIN)/python -m pytest tests/component/schedules -k any_schedule -o timeout=0 -p no:logging
	CHORUS_HISTORIES=$(SCHEDULES) $(BIN)/python -m pytest tests/anyorder -o timeout=0
	CHORUS_TIMER_ROUNDS=100 $(BIN)/python -m pytest tests/integration/test_timers.py -k killed -o timeout=0
	CHORUS_SCALING=all $(BIN)/python -m pytest tests/chaos/test_scaling.py
	@$(MAKE) --no-print-directory chaos N=$(N) KILLS=$(KILLS) SEED=$(SEED)

$(BIN)/python:
	@$(PYTHON) -c '$(NEW_ENOUGH)' 2>/dev/null || { \
		echo "Chorus needs Python 3.11 or newer with its venv module; '$(PYTHON)' does not have that." \
			"Install python3 and python3-venv (Debian, Ubuntu), or choose another Python with make PYTHON=…" >&2; exit 1; }
	@echo "chorus: creating the virtual environment $(VENV)"
	@$(PYTHON) -m venv $(VENV)

# One stamp file for each extra: pip runs only when pyproject.toml has changed. The extra `test` includes `local`.
$(VENV)/.local: pyproject.toml | $(BIN)/python
	@echo "chorus: installing the packages of the local stack"
	@$(BIN)/python -m pip install --disable-pip-version-check -e '.[local]'
	@touch $@

$(VENV)/.test: pyproject.toml | $(BIN)/python
	@echo "chorus: installing the packages of the tests"
	@$(BIN)/python -m pip install --disable-pip-version-check -e '.[local,test]'
	@touch $@ $(VENV)/.local

# The benchmark reports a library that cannot be installed and measures the others.
.venv-bench/.rivals: pyproject.toml | $(BIN)/python
	@echo "chorus: installing the compared libraries in .venv-bench"
	@$(BIN)/python -m venv .venv-bench
	@.venv-bench/bin/python -m pip install --disable-pip-version-check -e .
	@missing=; for rival in quixstreams faust-streaming; do \
		.venv-bench/bin/python -m pip install --disable-pip-version-check $$rival || missing="$$missing $$rival"; done; \
		if [ -z "$$missing" ]; then touch $@; else echo "chorus: not installed:$$missing" >&2; fi
