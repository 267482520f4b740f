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
PEERS := build/peers
PYRIGHT := build/pyright
FETCHED := $(STRANGER)/.ready $(NPM)/.ready $(DOCUMENTS)/.ready $(SCHEMAS)/.ready $(EXPRESS)/.ready $(PEERS)/.ready $(PYRIGHT)/.ready

.PHONY: help demo test collected check format packages audit release proof bench figures corpus docs reference constraints clean

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
	$(BIN)/pytest -n 4

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

demo: $(READY) $(STRANGER)/.ready  ## Harden two apps, and show before and after
	@$(BIN)/python -m docs.examples.datasette.demo $(STRANGER) build/demo
	@$(BIN)/python -m docs.examples.shop.demo build/demo/shop

# Datasette lives in an environment of its own, as a stranger's app would.
$(STRANGER)/.ready: $(READY)
	@echo "Setting up $(STRANGER) ..."
	@$(PYTHON) -m venv --clear $(STRANGER)
	@$(STRANGER)/bin/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[server]' datasette
	@touch $@

# What a CDN serves to interactive documentation, for the tests in a browser; public OpenAPI documents, for
# those of the contract (some 75 MB to fetch, 800 MB on disk); the published schemas of report formats;
# Express, for an app that is audited and for those who come from it; and pyright, which reads the types. The
# tests that need one of them are skipped without npm.
$(NPM)/.ready: tests/browser/package.json
$(DOCUMENTS)/.ready: tests/toolkit/openapi/package.json
$(SCHEMAS)/.ready: tests/harness/schemas/package.json
$(EXPRESS)/.ready: docs/examples/corpus/express/package.json
$(PEERS)/.ready: docs/examples/migrate/package.json
$(PYRIGHT)/.ready: tests/typing/package.json
$(NPM)/.ready $(DOCUMENTS)/.ready $(SCHEMAS)/.ready $(EXPRESS)/.ready $(PEERS)/.ready $(PYRIGHT)/.ready:
	@mkdir -p $(@D)
	@cp $< $(@D)/package.json
	@if command -v npm > /dev/null; then \
		echo "Setting up $(@D) ..."; \
		npm install --prefix $(@D) --no-package-lock --ignore-scripts --omit=peer --no-audit --no-fund --loglevel=error > /dev/null && touch $@; \
	else \
		echo "npm is missing: the tests that need $(@D) are skipped"; \
	fi

packages: $(READY) $(PYRIGHT)/.ready  ## Install the wheel everywhere: each extra, each Python, old and new versions
	PROOF=1 $(BIN)/pytest -n 2 --timeout 600 tests/packages

# What the wheel brings along with all of its extras that people install, hashed; the service that knows of
# vulnerabilities is asked about that.
REQUIREMENTS := build/release/requirements.txt
EXTRAS := $(addprefix --extra ,server harness load valkey openapi patterns)
$(REQUIREMENTS): $(READY) pyproject.toml
	@mkdir -p $(@D)
	@$(BIN)/python -m uv pip compile --quiet --no-header $(EXTRAS) --generate-hashes --output-file $@ pyproject.toml

# Of the versions of today, not of those that an earlier run has found.
audit: $(READY)  ## Ask whether a dependency has a known vulnerability (needs the service)
	@rm -f $(REQUIREMENTS)
	@$(MAKE) --no-print-directory $(REQUIREMENTS)
	$(BIN)/python -m uv tool run pip-audit --strict --require-hashes --disable-pip --requirement $(REQUIREMENTS)

release: $(REQUIREMENTS)  ## Build wheel and sdist into build/release/dist, with the list of what they bring along
	@rm -rf build/release/dist
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(BIN)/python -m build --no-isolation --outdir build/release/dist .
	$(BIN)/python -m twine check --strict build/release/dist/*
	$(BIN)/python -m uv tool run --from 'cyclonedx-bom>=7,<8' cyclonedx-py requirements --pyproject pyproject.toml --mc-type library --output-reproducible \
		--output-file build/release/garrison.cdx.json $<

bench: $(READY)  ## Cost per request beside the peers, in one run
	@mkdir -p build
	$(BIN)/python -m loadtests.bench --json build/bench.json

figures: $(READY)  ## Write what the last `make bench` has measured into the documentation
	@$(BIN)/python -m docs.site.figures build/bench.json

corpus: $(READY)  ## Audit real apps, and compare with the published verdicts (3 GB on disk)
	$(BIN)/python -m docs.examples.corpus.audit build/corpus

reference: $(READY)  ## Write the references and the picture of the layers from the code
	@mkdir -p build
	@env -i "PATH=$$PATH" $(BIN)/garrison config --format markdown > build/settings.md
	@mv build/settings.md docs/reference/settings.md
	@$(BIN)/garrison explain --format markdown > build/checks.md
	@mv build/checks.md docs/reference/checks.md
	@$(BIN)/python -m garrison_harness.configuration > build/configuration.md
	@mv build/configuration.md docs/reference/configuration.md
	@$(BIN)/python -m docs.site.cli_reference > build/cli.md
	@mv build/cli.md docs/reference/cli.md
	@$(BIN)/python -m docs.site.python_reference > build/python.md
	@mv build/python.md docs/reference/python.md
	@$(BIN)/python -m docs.site.layers

docs: $(READY)  ## Build the documentation as a site, and refuse a broken link
	@$(BIN)/python -m docs.site build

constraints: $(READY) $(STRANGER)/.ready  ## Write constraints.txt from what is installed
	@{ sed -n '/^#/p' constraints.txt; { $(BIN)/python -m pip freeze --exclude-editable; $(STRANGER)/bin/python -m pip freeze --exclude-editable; } | grep -E '^[A-Za-z0-9._-]+==' | sort -fu; } > build/constraints.txt
	@mv build/constraints.txt constraints.txt

clean:  ## Remove what was built and installed here
	rm -rf $(VENV) build dist
