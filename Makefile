# Two commands are all a new machine needs: `make demo` and `make test`. Each makes .venv first.

.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
WORKERS ?= $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1)))
CHAPTER ?=

.PHONY: help demo test peers lint format bench docs clean python chapter

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 10

python:
	@test -n "$(PYTHON)" || { echo "bespeak needs Python 3.11 or newer on PATH" >&2; exit 1; }

$(READY): pyproject.toml constraints.txt $(wildcard hatch_build.py src/bespeak/runner/supervise.c) | python
	@$(PYTHON) .ci/install.py $(VENV) -c constraints.txt -e '.[dev]'
	@touch $(READY)

chapter: | python
	@$(PYTHON) examples/demo.py --check $(CHAPTER)

demo: chapter $(READY) ## play the main job for real, about 30 s; CHAPTER=book, jobs, power, agents or server plays one
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python examples/demo.py $(CHAPTER)

test: $(READY) ## every test, on SQLite and on a real PostgreSQL server; about 15 minutes on 2 cores
	@$(BIN)/python .ci/timed.py test "every test, in parallel, with a PostgreSQL server of its own, in temporary folders" \
		"about 15 minutes on 2 cores" $(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal

peers: $(READY) ## against real counterparts, each in an environment of its own; about 6 minutes the first time
	@$(BIN)/python .ci/timed.py peers "the programs beside bespeak are installed into .peers and tested with it" \
		"about 6 minutes the first time" $(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile -m peers -o 'norecursedirs=.*' tests/peers

lint: $(READY) ## style, types, and which room imports which; about a minute
	@echo "lint: ruff, mypy and import-linter; about a minute"
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/mypy
	@found=$$($(BIN)/lint-imports --no-logo 2>&1) || { echo "$$found"; exit 1; }

format: $(READY) ## put files into the one format
	@$(BIN)/ruff check --quiet --fix-only
	@$(BIN)/ruff format --quiet

bench: $(READY) ## the bars and the peers, measured in one run
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python bench/run.py --json .cache/bench/results.json $(ARGS)

docs: $(READY) ## check that the documents name everything there is, and that their examples run
	@$(BIN)/python -m pytest -q tests/docs

clean: ## remove what was built here
	rm -rf $(VENV) .peers .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
