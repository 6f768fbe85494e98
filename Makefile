# Two commands for a newcomer: `make demo` scores a shipped list, `make test` runs the tests.
# Needs Python 3.11 or newer, git and make; everything else goes into .venv, from hash-locked requirements.

PYTHON ?= python3
BIN := .venv/bin
DEMO_ON := 2026-11-01
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help setup dev demo spark test test-slow test-browser test-spark lint types docs-check bench faults lock clean

help:
	@echo "make demo        set up, then score data/examples/suppliers.csv into demo/"
	@echo "make test        set up, then run the tests"
	@echo "make test-slow   the tests that take minutes"
	@echo "make test-browser, test-spark   those that need Chromium, Java"
	@echo "make lint types  ruff, mypy"
	@echo "make bench       speed, side by side with a plain copy; renews docs/benchmarks.md"
	@echo "make faults      kill, corrupt and starve the store, for long"
	@echo "make lock        renew the hash-locked requirements"

.venv/pyvenv.cfg:
	$(PYTHON) -m venv .venv

# Bytecode is compiled once here, because the command line is started often and quickly.
.venv/.runtime: .venv/pyvenv.cfg requirements.lock requirements-build.lock pyproject.toml
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-build.lock
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q $$($(BIN)/python -c "import sysconfig; print(sysconfig.get_path('purelib'))") || true
	@touch $@

.venv/.dev: .venv/.runtime requirements-dev.lock
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

setup: .venv/.runtime
	@$(BIN)/python -m compileall -q src
	@$(BIN)/vigilance rules check --quiet

dev: .venv/.dev setup

demo: setup
	@rm -rf demo
	$(BIN)/vigilance score data/examples/suppliers.csv --on $(DEMO_ON) --out demo || test $$? -eq 4
	@echo
	@echo "Next:  $(BIN)/vigilance explain S-0001 --run demo"

test: dev
	$(BIN)/python -m pytest -n auto

# SLOW takes further options of pytest, for instance SLOW="-k simulation".
test-slow: dev
	$(BIN)/python -m pytest -m "slow and not spark" -n auto --dist worksteal $(SLOW)

test-browser: dev
	$(BIN)/python -m pytest -m browser -rs

# pyspark is built from source: without isolation, so that what builds it is locked too.
.venv/.spark: .venv/.dev requirements-spark-build.lock requirements-spark.lock
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-spark-build.lock
	$(BIN)/python -m pip install --quiet --require-hashes --no-build-isolation -r requirements-spark.lock
	@touch $@

spark: .venv/.spark setup

test-spark: spark
	$(BIN)/python -m pytest -m spark -rs

lint: dev
	$(BIN)/ruff check src tests benchmarks scripts
	$(BIN)/ruff format --check src tests benchmarks scripts

types: dev
	$(BIN)/mypy

docs-check: dev
	$(BIN)/python scripts/catalogues.py --check
	$(BIN)/python scripts/pages.py
	$(BIN)/python -m benchmarks.page
	$(BIN)/vigilance data check --quiet

# BENCH takes further options, for instance BENCH="--rows 1000000 --rounds 2".
bench: dev setup
	$(BIN)/python -m benchmarks.speed --json benchmarks/measured/speed.json $(BENCH)
	$(BIN)/python -m benchmarks.page --write

FAULTS ?= --kills 500 --flips 200 --strace 40
faults: dev setup
	$(BIN)/python -m tests.faults.harness $(FAULTS)

lock: dev
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header requirements.in -o requirements.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header requirements-build.in -o requirements-build.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header requirements-dev.in -o requirements-dev.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header requirements-spark-build.in -o requirements-spark-build.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header requirements-spark.in -o requirements-spark.lock

clean:
	rm -rf .venv demo
