# One virtual environment, made from the lock file; a second call reuses it.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || echo python3.11)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEMO := demo

.DEFAULT_GOAL := help
.PHONY: help demo test test-browser lint types lock clean

help:  ## what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /make \1\t/' | expand -t 20

demo: $(READY)  ## set up, then prepare, train and colorize photos that ship inside scikit-image
	$(BIN)/python deploy/demo.py --output $(DEMO)

test: $(READY) lint types  ## set up, then lint, types and all tests
	$(BIN)/pytest

test-browser: $(READY)  ## look at the report's page in Chromium (apt-get install chromium)
	$(BIN)/pytest tests/browser

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

$(READY): requirements.lock setup.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)) and "autochrome needs Python 3.11 or 3.12: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

lock:  ## write requirements.lock anew from setup.py (needs uv)
	uv pip compile setup.py --all-extras --universal --python-version 3.11 --generate-hashes --no-header --quiet --output-file requirements.lock

clean:  ## remove the environment and what the demo made
	rm -rf $(VENV) $(DEMO)
