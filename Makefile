# One verb a habit.  `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
.DEFAULT_GOAL := help
.PHONY: help setup demo run check format lint types imports test bench soak pictures lock wheel clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Everything is installed from the lock, with hashes; the stamp makes it happen once a change.
$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("fsnats needs Python 3.11 or newer; name one: make demo PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)  # a system without ensurepip leaves half of one behind
	@echo "installing fsnats into $(VENV) (once)"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.lock
	@echo "installing what checks and tests need (once)"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

setup: $(VENV)/.installed-dev  ## Create the environment with everything for development

demo: $(VENV)/.installed  ## Serve a simulated Binance: everything in one terminal, Ctrl-C stops it
	@exec $(BIN)/fsnats up --sim

run: $(VENV)/.installed  ## Serve the live Binance: everything in one terminal, Ctrl-C stops it
	@exec $(BIN)/fsnats up

check: lint types imports  ## What CI checks before it tests

lint: setup  ## Style and mistakes
	@$(BIN)/ruff format --check --quiet . || (echo "run: make format"; exit 1)
	@$(BIN)/ruff check --quiet .

types: setup  ## Types, strictly
	@$(BIN)/mypy

imports: setup  ## Who may import whom
	@$(BIN)/lint-imports

format: setup  ## Put the code into the house's form
	@$(BIN)/ruff check --quiet --fix . ; $(BIN)/ruff format --quiet .

# They start a thousand programs, which are compiled once, outside of the checkout.  Most of them wait most of the time.
test: setup  ## All tests, fast ones first (.ci/run installs the programs that they start: PostgreSQL, nginx, …)
	@PYTHONDONTWRITEBYTECODE= PYTHONPYCACHEPREFIX=$(CURDIR)/$(VENV)/pycache $(BIN)/pytest -n $(or $(JOBS),3) --no-loadscope-reorder

bench: setup  ## What it costs on this machine (reports, never fails)
	@$(BIN)/python -m tests.bench

soak: setup  ## Tests that take minutes; then trouble a fleet under load for half an hour (MINUTES=30), and look at its memory
	@$(BIN)/pytest -m soak tests/e2e
	@FSNATS_TEST_KILLS=20 $(BIN)/pytest tests/e2e/test_resume.py tests/e2e/test_events.py tests/e2e/test_recorder.py
	@FSNATS_TEST_EXAMPLES=40 $(BIN)/pytest tests/e2e/test_schema.py
	@$(BIN)/fsnats chaos soak --minutes $(or $(MINUTES),30)

pictures: setup  ## Draw the dashboard anew for README and docs
	@$(BIN)/python -m tests.pictures

lock:  ## Pin what pyproject allows
	@CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --strip-extras --generate-hashes --allow-unsafe --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --extra build --extra dev -o requirements-dev.lock pyproject.toml
	@CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --strip-extras --generate-hashes --allow-unsafe --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --extra build --constraint requirements-dev.lock -o requirements.lock pyproject.toml

wheel: setup  ## Build the wheel
	@$(BIN)/python -m build --wheel --no-isolation

clean:  ## Remove what was made
	@rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
