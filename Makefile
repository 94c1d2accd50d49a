# Everything a person or CI types. Works with Python 3.11 or later, git and make; the rest goes into .venv.

SHELL := bash
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell scripts/find-python)
PYTEST_FLAGS ?=

RUN := $(VENV)/run.stamp
DEV := $(VENV)/dev.stamp

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help quickstart test lint format bench fuzz lock docs clean venv dev

help: ## Show these targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  \1\t\2/' | expand -t 14

quickstart: $(RUN) ## A real ML platform on the embedded cloud, planned, applied and shown
	@PATH="$(CURDIR)/$(BIN):$$PATH" scripts/quickstart

test: lint ## All checks: style, types, floors, tests
	$(BIN)/pytest -n auto --timeout=300 $(PYTEST_FLAGS)

lint: $(DEV) ## Style, types and floors only
	$(BIN)/ruff check
	$(BIN)/ruff format --check --quiet || { $(BIN)/ruff format --diff; exit 1; }
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(DEV) ## Rewrite the code in the house format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(DEV) ## Speed and memory beside stock Terraform
	$(BIN)/python -m benchmarks

fuzz: $(DEV) ## Fuzz parser, evaluator and state reader, a minute each
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/fuzz.lock
	@for target in parser json evaluator state; do $(BIN)/python -m benchmarks.fuzz $$target -max_total_time=60 || exit 1; done

docs: $(DEV) ## Make the pages that come from declarations anew
	$(BIN)/python scripts/docs

lock: ## Make requirements/*.lock anew from pyproject.toml (needs uv)
	scripts/lock

venv: $(RUN) ## The environment with what Twinfra needs to run

dev: $(DEV) ## The environment with what the tests need too

clean: ## Remove the environment and everything that was built
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUN): requirements/run.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Twinfra needs Python 3.11 or later on the PATH (or: make PYTHON=/path/to/python3.11 ...)."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/run.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): requirements/dev.lock $(RUN)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.lock
	@touch $@
