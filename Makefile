# One virtual environment, made from the lock file; a second call reuses it.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || echo python3.11)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEMO := demo
ENGINES := .engines
JOB_SERVER := $(ENGINES)/flink/job-server.jar
PRISM := $(ENGINES)/prism

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-browser test-dataflow test-flink test-gcs test-prism lint types lock clean

help:  ## what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /make \1\t/' | expand -t 20

demo: $(READY)  ## set up, then prepare, train and colorize photos that ship inside scikit-image
	$(BIN)/python deploy/demo.py --output $(DEMO)

test: $(READY) lint types  ## set up, then lint, types and all tests
	$(BIN)/pytest

test-browser: $(READY)  ## look at the report's page in Chromium (apt-get install chromium)
	$(BIN)/pytest tests/browser

test-dataflow: $(READY)  ## the jobs as they reach Dataflow, the templates, the image, the training jobs
	$(BIN)/pytest tests/deploy

test-flink: $(READY) $(JOB_SERVER)  ## fetch Flink (150 MB), then the golden jobs on it, a worker killed (needs Java 17, Maven)
	$(BIN)/pytest tests/conformance --timeout=1200 --engine=flink --engine=flink_loopback

test-gcs: $(READY)  ## everything from bucket to bucket, through a proxy that fails
	$(BIN)/pytest tests/gcs

test-prism: $(READY) $(PRISM)  ## build Prism, then the golden jobs on it, a worker killed (needs Go)
	$(BIN)/pytest tests/conformance --timeout=1200 --engine=prism --engine=prism_loopback

$(JOB_SERVER): deploy/flink/pom.xml deploy/flink/jars.sha256
	rm -rf $(@D)
	mvn --batch-mode --no-transfer-progress --strict-checksums --file deploy/flink/pom.xml package
	cd $(@D) && sha256sum --check --quiet $(CURDIR)/deploy/flink/jars.sha256
	@touch $@

# Go checks what it downloads against its own checksum database.
$(PRISM): requirements.lock
	GOBIN=$(CURDIR)/$(ENGINES) go install \
		github.com/apache/beam/sdks/v2/go/cmd/prism@v$(shell sed -n 's/^apache-beam==\([0-9.]*\).*/\1/p' requirements.lock)
	@touch $@

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
	echo 'tensorflow[and-cuda]' | uv pip compile - --constraint requirements.lock --python-version 3.11 --python-platform x86_64-manylinux_2_28 --generate-hashes --no-header --quiet --output-file deploy/requirements-cuda.lock

clean:  ## remove the environment, what the demo made, and fetched runners
	rm -rf $(VENV) $(DEMO) $(ENGINES)
