# `make` alone lists the targets. Every target builds what it needs first.
PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
UV_PIN  = $(shell sed -n 's/^\(uv==[^ ]*\).*/\1/p' requirements.lock)

# No library phones home, and threads do not fight over two cores.
export DO_NOT_TRACK = true
export MLFLOW_DISABLE_TELEMETRY = true
export AIRFLOW__USAGE_DATA_COLLECTION__ENABLED = False
export SCARF_ANALYTICS = false
export JUPYTER_PLATFORM_DIRS = 1

.DEFAULT_GOAL = help
.PHONY: help setup system course test prove bench grade release datasets lock text untext clean

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

$(VENV)/ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/pip install --quiet $(UV_PIN)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

setup: $(VENV)/ready  ## make .venv and install the locked set into it

lock: $(VENV)/ready  ## resolve pyproject.toml again into requirements.lock
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-annotate --no-header --quiet --upgrade -o requirements.lock
