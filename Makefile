# The two commands of the README are `make demo` and `make test`; CONTRIBUTING.md has the table of all of them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/pytest
INSTALLED := $(VENV)/.installed
CONSOLE_INSTALLED := console/node_modules/.installed
CONSOLE_BUILT := console/dist/index.html
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header

# Where Python keeps nothing that it has compiled, each program that a test starts compiles all sources anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install demo console test simulate check format test-system system-deps bench docs nightly lock clean \
  console-install console-build console-check console-e2e console-deps screenshots test-console wheel

help:  ## What can be made.
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /\1\t/' | expand -t 16

$(INSTALLED): requirements/dev.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

install: $(INSTALLED)  ## The development environment in .venv, from the locked requirements.

demo: $(INSTALLED)  ## A copy job over an inventory on an embedded store, from manifest to report.
	$(BIN)/cosbatch demo

console: $(INSTALLED) $(CONSOLE_BUILT)  ## The service with jobs in every state, to look at: DIR=folder, PORT=8014, FIRST_RUN=1.
	$(BIN)/cosbatch demo-console $(if $(DIR),--folder $(DIR)) $(if $(PORT),--port $(PORT)) $(if $(FIRST_RUN),--first-run)

test: $(INSTALLED)  ## Unit, contract, wire and end-to-end tests on what PyPI brings (SeaweedFS as the store); TESTS=path.
	$(PYTEST) -m "not system and not nightly and not console" $(TESTS)

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

$(CONSOLE_INSTALLED): console/package.json console/package-lock.json
	cd console && npm ci --ignore-scripts --no-audit --no-fund
	touch $@

# The same sources as hatch_build.py looks at. schema.d.ts is made anew by every build and check.
$(CONSOLE_BUILT): $(CONSOLE_INSTALLED) docs/reference/openapi.json $(wildcard console/*.html console/*.json console/*.ts) \
  $(shell find console/src console/public -type f -not -name schema.d.ts 2>/dev/null)
	cd console && npm run build

console-install: $(CONSOLE_INSTALLED)  ## What building the console takes, in console/node_modules, as locked; needs Node.js.

console-build: $(CONSOLE_BUILT)  ## The console's pages in console/dist, where `cosbatch serve` finds them.

console-check: $(CONSOLE_INSTALLED)  ## Format, lint, types and unit tests of the console.
	cd console && npm run check

console-deps:  ## Debian packages that `console-e2e` needs (as root; does nothing where they are there).
	deploy/console-deps.sh

console-e2e: $(INSTALLED) $(CONSOLE_BUILT)  ## The console in a browser, on a real service and store.
	cd console && npm run e2e

screenshots: $(INSTALLED) $(CONSOLE_BUILT)  ## Pictures of the console's pages: those of the docs in docs/images, all in console/screenshots.
	cd console && npx playwright test -c screenshots.config.ts

test-console: $(INSTALLED) $(CONSOLE_BUILT)  ## Tests that build the console with npm: the wheel in an environment of its own.
	$(PYTEST) -m "console and not nightly"

wheel: $(INSTALLED) $(CONSOLE_BUILT)  ## The sdist and the wheel in dist/, with the console in them.
	$(BIN)/python -m hatchling build -t sdist -t wheel -d dist

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
	rm -rf $(VENV) $(VENV)-docs $(VENV)-bench console/node_modules console/dist site dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
