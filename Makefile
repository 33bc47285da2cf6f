# `make` alone lists the targets. Every target installs what it needs first.
#
#   PYTHON=/path/to/python3.11   another interpreter for the .venv
#   PORT=8899                    another port for `make course`
#   JOBS=2                       fewer test workers (4: two fill the cores while two wait for servers)
#   VENV=/elsewhere              another place for the .venv
VENV     ?= .venv
JOBS     ?= 4
EXERCISE ?= ex2_drift
BIN       = $(VENV)/bin
PY        = $(BIN)/python
MLMON     = $(PY) -m mlmon.cli

# 3.11 is tested throughout, so it comes first.
FITS    = -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
PYTHON ?= $(shell for python in python3.11 python3 python3.12 python3.13; do $$python $(FITS) && echo $$python && break; done)

# What is installed is compiled once, since a sandbox and many a CI may not write what they compile, and would do it again in
# every process: half the time of each import.
export UV_COMPILE_BYTECODE ?= 1
# No library phones home (mlmon/lab.py holds the same list).
export DO_NOT_TRACK = true
export MLFLOW_DISABLE_TELEMETRY = true
export AIRFLOW__USAGE_DATA_COLLECTION__ENABLED = False
export SCARF_ANALYTICS = false
export JUPYTER_PLATFORM_DIRS = 1
# Workers fill the cores; their libraries' threads would only fight over them.
test prove store: export OMP_NUM_THREADS = 1
test prove store: export OPENBLAS_NUM_THREADS = 1

.DEFAULT_GOAL = help
.PHONY: help setup system course test prove bench grade release datasets text untext store site lock upgrade clean

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

APT = $(shell test "$$(id -u)" = 0 || echo sudo --non-interactive) env DEBIAN_FRONTEND=noninteractive apt-get --quiet

# One lock decides every version; `sync` also takes away what is no longer in it.
$(VENV)/ready: requirements.lock pyproject.toml
	@$(or $(PYTHON),false) $(FITS) || { echo "mlmon needs Python 3.11, 3.12 or 3.13, got $(or $(PYTHON),none of them)." \
	    "Install one, or name it: make setup PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { $(APT) update && $(APT) install --yes python3-venv; } \
	    || { echo "Python's venv module is missing. Mend it: sudo apt-get install python3-venv" >&2; exit 1; }
	@mkdir -p build
	@$(PY) -c '' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > build/uv.txt
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r build/uv.txt
	$(BIN)/uv pip sync --quiet --python $(PY) --require-hashes requirements.lock
	$(BIN)/uv pip install --quiet --python $(PY) --no-deps --no-build-isolation --editable .
	@touch $@

setup: $(VENV)/ready  ## make .venv and install the locked set into it

system: $(VENV)/ready  ## install the programs the tests need, where it may
	@$(PY) -m mlmon.doctor --install

course: $(VENV)/ready  ## open the course in JupyterLab
	@$(PY) -m mlmon.lab $(if $(PORT),--port $(PORT))

test: system  ## run every test but the long proofs, about 15 minutes
	$(PY) -m pytest -m "not prove" --numprocesses $(JOBS)

prove: system  ## run the long proofs and write their tables: over an hour
	$(PY) -m pytest -m prove

bench: $(VENV)/ready  ## measure the speed beside other libraries
	$(PY) -m tests.benchmarks

grade: $(VENV)/ready  ## grade a class: EXERCISE=ex2_drift SUBMISSIONS=dir
	@test -n "$(SUBMISSIONS)" || { echo "Say where the submissions are: make grade EXERCISE=$(EXERCISE) SUBMISSIONS=dir" >&2; exit 1; }
	$(MLMON) grade $(EXERCISE) --submissions "$(SUBMISSIONS)" || test $$? -eq 1  # 1: graded, and a row needs a look

release: $(VENV)/ready  ## make exercises/ from solutions/
	$(MLMON) release

datasets: $(VENV)/ready  ## make the files of datasets/ again
	$(PY) -m mlmon.data datasets/

text: $(VENV)/ready  ## see a notebook as Python text: NB=course/01_data_drift.ipynb
	@test -n "$(NB)" || { echo "Name the notebook: make $@ NB=course/01_data_drift.ipynb" >&2; exit 1; }
	@mkdir -p $(dir build/text/$(NB))
	$(BIN)/python -m jupytext --quiet --to py:percent --output build/text/$(NB:.ipynb=.py) $(NB)
	@echo "Edit build/text/$(NB:.ipynb=.py), then: make untext NB=$(NB)"

untext: $(VENV)/ready  ## put the edited text back into its notebook: NB=...
	@test -n "$(NB)" || { echo "Name the notebook: make $@ NB=course/01_data_drift.ipynb" >&2; exit 1; }
	$(BIN)/python -m jupytext --quiet --update --to ipynb --output $(NB) build/text/$(NB:.ipynb=.py)

store: $(VENV)/ready  ## run a notebook of the course and store it with its outputs: NB=...
	@test -n "$(NB)" || { echo "Name the notebook: make $@ NB=course/01_data_drift.ipynb" >&2; exit 1; }
	$(PY) -m tests.store $(NB)

site: $(VENV)/ready  ## build the course as a web site under build/site
	@$(PY) -m mlmon.site

LOCK = $(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet -o requirements.lock

lock: $(VENV)/ready  ## resolve pyproject.toml into requirements.lock, keeping what still fits
	$(LOCK)

upgrade: $(VENV)/ready  ## resolve it anew, with the newest of everything
	$(LOCK) --upgrade

clean:  ## remove what the targets made, grades and .venv excepted
	rm -rf build/jupyter build/pythons build/site build/text build/uv.txt .pytest_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
