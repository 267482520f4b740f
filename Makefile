# `make demo` and `make test` are all that a newcomer needs; each sets itself up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
STRANGER := build/datasette-env
NPM := build/npm
DOCUMENTS := build/documents
SCHEMAS := build/schemas
EXPRESS := build/corpus/express
FETCHED := $(STRANGER)/.ready $(NPM)/.ready $(DOCUMENTS)/.ready $(SCHEMAS)/.ready $(EXPRESS)/.ready

.PHONY: help demo test collected check format proof bench corpus reference constraints clean

help:  ## Say what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else f"Garrison needs Python 3.11 or later, and $(PYTHON) is {sys.version.split()[0]}: run make PYTHON=python3.12 (or newer)")'
	@echo "Setting up $(VENV) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

# While types are checked on one core, the rest is fetched and the tests are compiled once for all workers.
test: $(READY)  ## Run everything that must pass
	@$(MAKE) --no-print-directory -j 3 check collected $(FETCHED)
	$(BIN)/pytest -n 3

# Also where PYTHONDONTWRITEBYTECODE is set, or each of some thousand processes would compile what has changed.
collected: $(READY)
	@$(BIN)/python -m compileall -q toolkit harness loadtests docs/examples
	@$(BIN)/pytest --collect-only -qq > /dev/null || true

check: $(READY)  ## Lint, format, types and import rules, in seconds
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --verbose

format: $(READY)  ## Let ruff write the format and mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

proof: check $(FETCHED)  ## The full counts of what `make test` samples
	PROOF=1 $(BIN)/pytest -n 2 --timeout 600

demo: $(READY) $(STRANGER)/.ready  ## Harden a real app, and show before and after
	@$(BIN)/python -m docs.examples.datasette.demo $(STRANGER) build/demo

# Datasette lives in an environment of its own, as a stranger's app would.
$(STRANGER)/.ready: $(READY)
	@echo "Setting up $(STRANGER) ..."
	@$(PYTHON) -m venv --clear $(STRANGER)
	@$(STRANGER)/bin/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[server]' datasette
	@touch $@

# What a CDN serves to interactive documentation, for the tests in a browser; public OpenAPI documents, for
# those of the contract (some 75 MB to fetch, 800 MB on disk); the published schemas of report formats; and
# Express, for an app that is audited. They are skipped without npm.
$(NPM)/.ready: tests/browser/package.json
$(DOCUMENTS)/.ready: tests/toolkit/openapi/package.json
$(SCHEMAS)/.ready: tests/harness/schemas/package.json
$(EXPRESS)/.ready: docs/examples/corpus/express/package.json
$(NPM)/.ready $(DOCUMENTS)/.ready $(SCHEMAS)/.ready $(EXPRESS)/.ready:
	@mkdir -p $(@D)
	@cp $< $(@D)/package.json
	@if command -v npm > /dev/null; then \
		echo "Setting up $(@D) ..."; \
		npm install --prefix $(@D) --no-package-lock --ignore-scripts --omit=peer --no-audit --no-fund --loglevel=error > /dev/null && touch $@; \
	else \
		echo "npm is missing: the tests that need $(@D) are skipped"; \
	fi

bench: $(READY)  ## Cost per request beside the peers, in one run
	$(BIN)/python -m loadtests.bench

corpus: $(READY)  ## Audit real apps, and compare with the published verdicts (3 GB on disk)
	$(BIN)/python -m docs.examples.corpus.audit build/corpus

reference: $(READY)  ## Write the references of settings, checks and configuration from the code
	@mkdir -p build
	@env -i "PATH=$$PATH" $(BIN)/garrison config --format markdown > build/settings.md
	@mv build/settings.md docs/reference/settings.md
	@$(BIN)/garrison explain --format markdown > build/checks.md
	@mv build/checks.md docs/reference/checks.md
	@$(BIN)/python -m garrison_harness.configuration > build/configuration.md
	@mv build/configuration.md docs/reference/configuration.md

constraints: $(READY) $(STRANGER)/.ready  ## Write constraints.txt from what is installed
	@{ sed -n '/^#/p' constraints.txt; { $(BIN)/python -m pip freeze --exclude-editable; $(STRANGER)/bin/python -m pip freeze --exclude-editable; } | grep -E '^[A-Za-z0-9._-]+==' | sort -fu; } > build/constraints.txt
	@mv build/constraints.txt constraints.txt

clean:  ## Remove what was built and installed here
	rm -rf $(VENV) build dist
