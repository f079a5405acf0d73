# `make up` runs the whole system, `make test` tests what can be tested here, `make check` is what CI runs.
# Words for the command go into ARGS: make up ARGS="--ports 9400"

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
NEW_ENOUGH := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11 python3.14; do \
	if $$name -c '$(NEW_ENOUGH)' >/dev/null 2>&1; then echo $$name; exit; fi; done; echo python3)
SCHEDULES := 5000
SOURCES := shared services deploy tests
# Most of the suite waits for others; a file stays together, so that what it starts serves all its tests.
SIDE_BY_SIDE := --numprocesses 2 --dist loadfile
ARGS ?=

.PHONY: up test check translations chaos bench soak compose-test compose-tool compose-labels
.SUFFIXES:

up: $(VENV)/.local
	@exec $(BIN)/chorus up $(ARGS)

test: $(VENV)/.test
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) $(ARGS)

check: $(VENV)/.test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --strict $(SOURCES)
	$(BIN)/lint-imports
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) $(ARGS)

# After a change of a text in code or templates: adds new texts to the catalogue and removes unused ones.
translations: $(VENV)/.test
	$(BIN)/pybabel -q extract --mapping-file pyproject.toml --keywords gettext_noop --add-location file --no-wrap \
		--output $(VENV)/chorus.pot shared services
	$(BIN)/pybabel -q update --input-file $(VENV)/chorus.pot --domain chorus --output-dir shared/locale \
		--ignore-obsolete --no-fuzzy-matching --ignore-pot-creation-date --no-wrap

# A stack of its own under blows: make chaos N=2000 KILLS=20 SEED=1
chaos: N := 2000
chaos: KILLS := 20
chaos: SEED := 1
chaos: $(VENV)/.test
	@$(BIN)/python -m tests.chaos --inquiries $(N) --kills $(KILLS) --seed $(SEED) $(ARGS)

# docker-compose.yml on a real engine, from the first day to an upgrade: before each release.
# make compose-test INSTALL=1 installs an engine from packages where there is none; without it the run is skipped there.
compose-test: $(VENV)/.test
	@INSTALL=$(INSTALL) $(BIN)/python -m tests.compose $(ARGS)

# Docker Compose from packages, where the machine has none; `make check` has it read docker-compose.yml.
compose-tool: $(VENV)/.test
	@$(BIN)/python -m tests.compose.packages

# After a change of a file that docker-compose.yml mounts.
compose-labels: $(VENV)/.test
	@$(BIN)/python -m tests.compose.digests

# Side by side with others, about a quarter of an hour; what the rivals need is kept apart in .venv-bench.
# make bench ARGS="--quick" shows that it works; ARGS="--only intake" measures one section.
bench: $(VENV)/.local .venv-bench/.rivals
	@$(BIN)/python -m tests.benchmarks $(ARGS)

# For hours, not for every commit: thousands of schedules of crashes, repeats, zombies and outages, then a long run under blows.
soak: N := 100000
soak: KILLS := 200
soak: SEED := 1
soak: $(VENV)/.test
	CHORUS_SCHEDULES=$(SCHEDULES) $(BIN)/python -m pytest tests/component/schedules -k any_schedule -o timeout=0 -p no:logging
	CHORUS_SCALING=all $(BIN)/python -m pytest tests/chaos/test_scaling.py
	@$(MAKE) --no-print-directory chaos N=$(N) KILLS=$(KILLS) SEED=$(SEED)

$(BIN)/python:
	@$(PYTHON) -c '$(NEW_ENOUGH)' 2>/dev/null || { \
		echo "Chorus needs Python 3.11 or newer with its venv module, and '$(PYTHON)' is not that:" \
			"install it (on Debian and Ubuntu: python3 and python3-venv), or name one with make PYTHON=…" >&2; exit 1; }
	@echo "chorus: making the environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)

# A stamp an extra, so that a second time is quick; the test environment contains the local stack.
$(VENV)/.local: pyproject.toml | $(BIN)/python
	@echo "chorus: installing what the local stack needs"
	@$(BIN)/python -m pip install --disable-pip-version-check -e '.[local]'
	@touch $@

$(VENV)/.test: pyproject.toml | $(BIN)/python
	@echo "chorus: installing what the tests need"
	@$(BIN)/python -m pip install --disable-pip-version-check -e '.[local,test]'
	@touch $@ $(VENV)/.local

# A rival that cannot be installed is named in the result; it keeps nobody from measuring the others.
.venv-bench/.rivals: pyproject.toml | $(BIN)/python
	@echo "chorus: installing the rivals in .venv-bench"
	@$(BIN)/python -m venv .venv-bench
	@.venv-bench/bin/python -m pip install --disable-pip-version-check -e .
	@missing=; for rival in quixstreams faust-streaming; do \
		.venv-bench/bin/python -m pip install --disable-pip-version-check $$rival || missing="$$missing $$rival"; done; \
		if [ -z "$$missing" ]; then touch $@; else echo "chorus: not installed:$$missing" >&2; fi
