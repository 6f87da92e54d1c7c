# Everything a newcomer types. `make run` and `make test` set up what they need first.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.set-up
export UV_PROJECT_ENVIRONMENT := $(VENV)
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD := 1

.PHONY: help setup browser run test soak lint types imports bench docs clean

help:
	@echo "make run     start the service at http://127.0.0.1:8787"
	@echo "make test    every test, the real browser ones included"
	@echo "make soak    the long ones: thousands of histories, hundreds of kills"
	@echo "make lint | types | imports | bench | docs | setup | clean"

setup: $(STAMP)

# uv is taken from PATH, or brought into the project's own virtual environment.
$(STAMP): pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Kakehashi needs Python 3.11 or newer; $(PYTHON) is older. Mend: make PYTHON=python3.11 run"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@command -v uv >/dev/null || test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@if command -v uv >/dev/null; then uv sync --frozen --quiet --compile-bytecode; else $(BIN)/uv sync --frozen --quiet --compile-bytecode; fi
	@touch $@

# Tests need Chromium, CJK fonts and Node.js, which Python cannot install. On Debian as root, apt can.
browser: setup
	@$(BIN)/python -m tests.browser.needs
	@$(BIN)/python -m tests.slack_types.needs

run: setup
	@exec $(BIN)/kakehashi up

# The tests start the service a hundred times: it is compiled once, also where PYTHONDONTWRITEBYTECODE is set.
test: browser
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 3 --dist loadgroup tests

# The long tests, and asyncio watching itself: that alone costs three times what the tests do.
soak: browser
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 2 --dist loadgroup tests --soak -o asyncio_debug=true

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

imports: setup
	$(BIN)/lint-imports

bench: setup
	$(BIN)/python -m benchmarks

docs: setup
	$(BIN)/python -m docs.generate

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
