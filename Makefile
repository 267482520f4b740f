# `make demo` and `make test` are all that a newcomer needs; each sets itself up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help demo test check format proof bench constraints clean

help:  ## Say what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else f"Garrison needs Python 3.11 or later, and $(PYTHON) is {sys.version.split()[0]}: run make PYTHON=python3.12 (or newer)")'
	@echo "Setting up $(VENV) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

test: check  ## Run everything that must pass
	$(BIN)/pytest -n 2 -m "not proof"

check: $(READY)  ## Lint, format, types and import rules, in seconds
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --verbose

format: $(READY)  ## Let ruff write the format and mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

proof: check  ## The full counts of what `make test` samples
	GARRISON_TEST_PROOF=1 $(BIN)/pytest -n 2

demo: $(READY)  ## Harden a real app, and show before and after
	$(BIN)/python docs/examples/datasette/demo.py

bench: $(READY)  ## Cost per request beside the peers, in one run
	$(BIN)/python -m loadtests.bench

constraints: $(READY)  ## Write constraints.txt from what is installed
	$(BIN)/python -m pip list --format=freeze --exclude-editable --exclude pip --exclude setuptools > build/frozen.txt

clean:  ## Remove what was built and installed here
	rm -rf $(VENV) build dist
