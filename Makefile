# Everything here needs Python 3.11 or newer and make; the rest is installed into .venv.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PYTEST := $(BIN)/pytest -n 2 --dist loadgroup
# For the packages, and for what builds this one: older pips read the first name, newer ones the second.
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_BUILD_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help install demo demo-full test test-all faults fuzz soak check format bench docs coverage constraints clean

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(INSTALLED) ## Make .venv and install everything into it; quick if nothing changed.

$(INSTALLED): pyproject.toml constraints.txt
	@python=; for name in $(PYTHON) python3.11 python3 python3.12 python3.13 python3.14; do \
		if "$$name" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
		then python=$$name; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
		echo "Python 3.11 or newer with its venv module is needed (on Debian: apt install python3-venv)" >&2; \
		exit 1; \
	fi; \
	[ -x $(BIN)/python ] || "$$python" -m venv $(VENV)
	@echo 'Installing into $(VENV): half a minute the first time'
	@# An editable install warns of what it is.
	@PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[server,embedded,dashboard,dev]'
	@touch $@

demo: install ## Replay recorded traffic on servers of its own, and compare the answers: half a minute.
	@$(BIN)/interlock demo

demo-full: install ## The same with all that was recorded: some minutes.
	@$(BIN)/interlock demo --full

test: install ## Run the tests; PostgreSQL and Valkey start by themselves.
	@$(PYTEST) -m 'not slow'

test-all: install ## Run all tests, with the whole parity corpus and the slow ones.
	@INTERLOCK_PARITY=all $(PYTEST)

faults: install ## Put every kind of fault into a system under load; writes docs/faults.md. ROWS=5,6: those rows again.
	@[ -n "$(ROWS)" ] || rm -f docs/faults/*.json
	@$(BIN)/python -m tests.faults $(if $(ROWS),--rows "$(ROWS)")

fuzz: install ## Put junk on the queues, other junk each time: some minutes. EXAMPLES=500 of each kind.
	@INTERLOCK_TEST_FUZZ=$(or $(EXAMPLES),500) $(BIN)/pytest tests/fuzz

soak: install ## A million commands with faults every few seconds: some ten minutes.
	@$(BIN)/python -m tests.faults.soak

check: install ## Check format, lint, types, import contracts and the generated docs.
	@$(BIN)/ruff format --check --quiet . || { $(BIN)/ruff format --check .; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/mypy --package tests
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m docs.generate --check

format: install ## Format the code and mend what ruff can mend.
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

bench: install ## Measure; writes a table into benchmarks/results/.
	@$(BIN)/python -m benchmarks

docs: install ## Make the generated parts of README.md and docs/ anew.
	@$(BIN)/python -m docs.generate

coverage: install ## Require every branch of the rules to be tested.
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest tests/orchestration
	@$(BIN)/coverage report --show-missing --skip-covered --fail-under=100

constraints: ## Look for newer versions within the bounds of pyproject.toml; writes constraints.txt.
	@folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; \
	python3 -m venv "$$folder/venv"; \
	unset PIP_CONSTRAINT PIP_BUILD_CONSTRAINT; \
	"$$folder/venv/bin/pip" install --quiet '.[server,embedded,dashboard,dev]' 'setuptools>=77'; \
	{ sed '/^#/!d' constraints.txt; \
	  "$$folder/venv/bin/pip" freeze --all --exclude interlock --exclude pip | sort --ignore-case; } > "$$folder/new"; \
	cp "$$folder/new" constraints.txt
	@git --no-pager diff --stat -- constraints.txt

clean: ## Remove what was made here: .venv, caches, the embedded servers' data.
	rm -rf $(VENV) .interlock build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache .coverage benchmarks/results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
