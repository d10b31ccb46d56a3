# One virtual environment, made from the lock file; a second call reuses it.
# The first that starts: what pyenv puts into PATH may lead nowhere.
PYTHON ?= $(shell for one in python3.11 python3.12; do $$one -c "" 2>/dev/null && command -v $$one && exit; done; echo python3.11)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --no-deps
# Extras are part of a requirement that pip checks: a lock without them does not install with --require-hashes alone.
COMPILE := uv pip compile --python-version 3.11 --generate-hashes --no-strip-extras --no-header --quiet
DEMO := demo
ENGINES := .engines
JOB_SERVER := $(ENGINES)/flink/job-server.jar
PRISM := $(ENGINES)/prism
AZURITE := $(ENGINES)/azurite/node_modules/azurite/package.json

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help coverage demo hooks test test-azure test-browser test-chaos test-dataflow test-flink test-gcs test-install test-prism test-s3 lint types lock clean

help:  ## what can be made
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /make \1\t/' | expand -t 20

demo: $(READY)  ## set up, then prepare, train and colorize photos that ship inside scikit-image
	$(BIN)/python deploy/demo.py --output $(DEMO)

# Files in the order of their names: those of few tests, which are often long, must not all come last.
test: $(READY) lint types  ## set up, then lint, types and all tests
	$(BIN)/pytest --numprocesses=3 --dist=loadfile --no-loadscope-reorder

test-azure: $(READY) $(AZURITE)  ## fetch Azurite, then Azure as a store, through a proxy that fails, with kills (needs Node.js)
	$(BIN)/pytest tests/stores --store=azure -m "chaos or not chaos"

test-browser: $(READY)  ## look at the report's page in Chromium (apt-get install chromium)
	$(BIN)/pytest tests/browser

test-chaos: $(READY)  ## more kills than `make test` has time for
	$(BIN)/pytest -m chaos --timeout=1800

test-dataflow: $(READY)  ## the jobs as they reach Dataflow, the templates, the image, the training jobs
	$(BIN)/pytest tests/deploy

test-flink: $(READY) $(JOB_SERVER)  ## fetch Flink (150 MB), then the golden jobs on it, a worker killed (needs Java 17, Maven)
	$(BIN)/pytest tests/conformance --timeout=1200 --engine=flink --engine=flink_loopback

test-gcs: $(READY)  ## everything from bucket to bucket, through a proxy that fails
	$(BIN)/pytest tests/gcs

test-install: $(READY)  ## install afresh, with the oldest and the newest pip, and colorize (half an hour, gigabytes)
	$(BIN)/pytest tests/install --timeout=3600

test-prism: $(READY) $(PRISM)  ## build Prism, then the golden jobs on it, a worker killed (needs Go)
	$(BIN)/pytest tests/conformance --timeout=1200 --engine=prism --engine=prism_loopback

test-s3: $(READY)  ## the stores that speak S3, through a proxy that fails, with kills
	$(BIN)/pytest tests/stores --store=s3 -m "chaos or not chaos"

$(JOB_SERVER): deploy/flink/pom.xml deploy/flink/jars.sha256
	rm -rf $(@D)
	mvn --batch-mode --no-transfer-progress --strict-checksums --file deploy/flink/pom.xml package
	cd $(@D) && sha256sum --check --quiet $(CURDIR)/deploy/flink/jars.sha256
	@touch $@

# npm checks each package against the lock.
$(AZURITE): tests/stores/azurite/package.json tests/stores/azurite/package-lock.json
	mkdir -p $(ENGINES)/azurite
	cp $^ $(ENGINES)/azurite
	npm ci --prefix $(ENGINES)/azurite --ignore-scripts --no-audit --no-fund
	@touch $@

# Go checks what it downloads against its own checksum database.
$(PRISM): requirements.lock
	GOBIN=$(CURDIR)/$(ENGINES) go install \
		github.com/apache/beam/sdks/v2/go/cmd/prism@v$(shell sed -n 's/^apache-beam\[gcp\]==\([0-9.]*\).*/\1/p' requirements.lock)
	@touch $@

coverage: $(READY)  ## all tests, and how much of the code they run, child processes as well
	$(BIN)/pytest --numprocesses=3 --dist=loadfile --cov

hooks: $(READY)  ## have `make lint` run on what each commit changes
	$(BIN)/pre-commit install

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/codespell
	$(BIN)/python tests/lint/prose.py
	$(BIN)/oxlint --deny-warnings

types: $(READY)
	$(BIN)/mypy

# --no-deps: the lock is complete, and pip before 23.3 would take a package with an extra from the index, not from the lock.
# --no-build-isolation: google-apitools is built here, with locked tools rather than the newest ones of the day.
$(READY): requirements.lock deploy/requirements-build.lock setup.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' 2>/dev/null || { echo "Autochrome needs Python 3.11 or 3.12. Name one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Setting up $(VENV): 4 GB, about three minutes, in which pip prints nothing"
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) --require-hashes --requirement deploy/requirements-build.lock
	$(INSTALL) --require-hashes --no-build-isolation --requirement requirements.lock
	$(INSTALL) --no-build-isolation --editable .
	$(BIN)/pip --disable-pip-version-check check
	@touch $@

lock:  ## write the four lock files from setup.py (needs uv); versions that still fit stay
	$(COMPILE) --universal --all-extras --output-file requirements.lock setup.py
	cp requirements.lock deploy/requirements-runtime.lock
	$(COMPILE) --universal --extra pretrained --extra azure --extra s3 --extra sign --output-file deploy/requirements-runtime.lock setup.py
	printf 'setuptools\nsetuptools-scm\nwheel\n' | $(COMPILE) --universal --constraint requirements.lock --output-file deploy/requirements-build.lock -
	echo 'tensorflow[and-cuda]' | $(COMPILE) --python-platform x86_64-manylinux_2_28 --constraint requirements.lock --output-file deploy/requirements-cuda.lock -

clean:  ## remove the environment, what the demo made, fetched runners, and what pip left from building the package
	rm -rf $(VENV) $(DEMO) $(ENGINES) build autochrome.egg-info
