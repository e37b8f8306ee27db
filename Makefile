# Everything a newcomer needs: `make run` shows the demo village, `make test` proves it. Only Python 3.11 is assumed.
PYTHON ?= python3.11
VENV := .venv
PY := $(VENV)/bin/python
ONEMAP_DATA ?= data
export ONEMAP_DATA

.DEFAULT_GOAL := help
.PHONY: help setup data run test check bench soak mutate screenshots bundle clean lock

help:
	@echo "make run          set up, build the demo village, serve it at http://127.0.0.1:8050"
	@echo "make test         set up and run the tests"
	@echo "make check        ruff, pyright, import contracts, dependencies, declarations"
	@echo "make bench        compare with peers; writes docs/benchmarks.md"
	@echo "make soak         the long sweeps"
	@echo "make mutate       small faults put into the policy, one at a time; its tests must notice"
	@echo "make screenshots  pictures of the page, in screenshots/"
	@echo "make bundle       one signed archive for a machine without a network, in dist/ (BUNDLE_KEY=release.key)"
	@echo "make clean        remove what was built (not .venv)"

$(VENV)/.ready: requirements.lock
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is needed: $(PYTHON) was not found (set PYTHON=...)"; exit 1; }
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@echo "Installing Python packages (hash-checked) ..."
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

setup: $(VENV)/.ready
	@$(PY) -m twin.map.build

data: setup
	@$(PY) -m etl demo
	@$(PY) -m etl run --all || test $$? -eq 3

run: data
	@$(PY) -m etl schedule --beside --workers 1 & beside=$$!; trap "kill $$beside 2>/dev/null" EXIT; \
	trap "exit 130" INT TERM; ONEMAP_DEMO=1 $(PY) dashboard.py

test: setup
	@$(PY) -m pytest -n auto --maxprocesses 4 --dist loadfile

check: setup
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/lint-imports
	@$(VENV)/bin/pyright
	@$(VENV)/bin/deptry .
	@$(PY) -m etl check

bench: setup
	@$(PY) -m tests.bench

soak: setup
	@$(PY) -m pytest -m soak --timeout=3600
	@$(PY) -m tests.bench serving --minutes=30

mutate: setup
	@$(PY) -m tests.mutation

screenshots: data
	@$(PY) -m tests.browser.screenshots
	@$(PY) -m tests.browser.roles

bundle: setup
	@$(PY) -m deploy $(if $(VERSION),--version $(VERSION))

lock:
	@$(PY) -m uv pip compile --group dev --generate-hashes --no-header --no-emit-index-url pyproject.toml -o requirements.lock

clean:
	rm -rf data/raw data/store data/run twin/map/vendor twin/map/node_modules screenshots build dist .pytest_cache .ruff_cache .hypothesis
