# The two commands of the README are `make demo` and `make test`; CONTRIBUTING.md has the table of all of them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/pytest
INSTALLED := $(VENV)/.installed
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header

.DEFAULT_GOAL := help
.PHONY: help install demo console test simulate check format test-system system-deps bench docs nightly lock clean

help:  ## What can be made.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

$(INSTALLED): requirements/dev.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

install: $(INSTALLED)  ## The development environment in .venv, from the locked requirements.

demo: $(INSTALLED)  ## A copy job over an inventory on an embedded store, from manifest to report.
	$(BIN)/cosbatch demo

console: $(INSTALLED)  ## The service with jobs in every state, to look at: DIR=folder, PORT=8014, FIRST_RUN=1.
	$(BIN)/cosbatch demo-console $(if $(DIR),--folder $(DIR)) $(if $(PORT),--port $(PORT)) $(if $(FIRST_RUN),--first-run)

test: $(INSTALLED)  ## Unit, contract, wire and end-to-end tests on what PyPI brings (SeaweedFS as the store); TESTS=path.
	$(PYTEST) -m "not system and not nightly" $(TESTS)

check: $(INSTALLED)  ## Format, lint, types, import contract, unit tests.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(PYTEST) -q tests/unit

format: $(INSTALLED)  ## Writes the format that `check` asks for.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

system-deps:  ## Debian packages that `test-system` needs (as root; does nothing where they are there).
	deploy/system-deps.sh

test-system: $(INSTALLED)  ## Tests on what Debian brings: Ceph RGW.
	$(PYTEST) -m "system and not nightly"

simulate: $(INSTALLED)  ## The engine under faults: SEEDS=n fresh seeds, or SEED=x once more.
	$(BIN)/python -m tests.simulation.campaign $(if $(SEED),SEED=$(SEED),$(or $(SEEDS),100))

nightly: $(INSTALLED)  ## Tests that run for a long time.
	$(PYTEST) -m nightly --timeout 3600
	HYPOTHESIS_PROFILE=thorough $(PYTEST) tests/unit tests/wire -k properties --timeout 3600

bench: $(INSTALLED) requirements/bench.txt  ## Ratios, measured in one run: ONLY=P1,P3, BASE=<rev>, LONG=1, WRITE=1.
	test -x $(VENV)-bench/bin/rclone || $(PYTHON) -m venv $(VENV)-bench
	$(VENV)-bench/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bench.txt
	BENCH_TOOLS=$(VENV)-bench/bin $(BIN)/python -m bench $(if $(ONLY),--only $(ONLY)) $(if $(BASE),--base $(BASE)) \
	  $(if $(LONG),--long) $(if $(WRITE),--write)

docs: $(INSTALLED) requirements/docs.txt  ## The documentation as a site in site/.
	test -x $(VENV)-docs/bin/mkdocs || $(PYTHON) -m venv $(VENV)-docs
	$(VENV)-docs/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/docs.txt
	$(VENV)-docs/bin/mkdocs build --strict

lock:  ## Locks the requirements again (needs the network).
	test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet uv
	$(COMPILE) pyproject.toml -o requirements/run.txt
	$(COMPILE) pyproject.toml --extra demo --group dev -o requirements/dev.txt
	$(COMPILE) --group docs -o requirements/docs.txt
	$(COMPILE) --group bench -o requirements/bench.txt

clean:  ## Removes what was made here.
	rm -rf $(VENV) $(VENV)-docs $(VENV)-bench site dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
