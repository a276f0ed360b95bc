# Two commands do everything: `make demo` and `make test`. Each sets up what it needs (see `make help`).

# The interpreter the virtual environment is made with; make PYTHON=python3.13 test
PYTHON ?= python3
# make test CONTAINER=no leaves out the tests that need a Docker engine
CONTAINER ?= yes
# make demo DEMO=docker or DEMO=namespace decides where; else a container if an engine answers
DEMO ?= auto

bin := .venv/bin
# The rooms that decide and do nothing: every line and branch of them has a test.
multilog := pyinit/logs/multilog
PURE := pyinit/formats/*,pyinit/services/life/*,$(multilog)/script.py,$(multilog)/pattern.py,$(multilog)/lines.py
# One environment, made anew when PYTHON is another one than it was made with.
made := .venv/.made-$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test lint types unit process conformance container image man bench soak faults nightly coverage mutants pages clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 14

demo: ## boot the example under pyinit as PID 1 and show what it does
	@if [ "$(DEMO)" = docker ] || { [ "$(DEMO)" = auto ] && tests/engine status; }; then \
		tests/engine run $(PYTHON) images/example/demo docker; \
	else \
		$(MAKE) --no-print-directory .venv/.run && PATH="$(CURDIR)/$(bin):$$PATH" $(PYTHON) images/example/demo namespace; \
	fi

test: lint types unit process conformance container ## all of: lint types unit process conformance container

lint: .venv/.test ## ruff: lint and format; sentences of at most 25 words
	$(bin)/ruff check .
	$(bin)/ruff format --check .
	$(bin)/python tools/prose.py

types: .venv/.test ## mypy --strict
	$(bin)/mypy

unit: .venv/.test ## one level of tests (also: process, conformance, container); the pure rooms have 100 % coverage
	$(bin)/coverage run -m pytest tests/unit
	$(bin)/coverage report --include=$(PURE) --fail-under=100

# Two at a time: each test has a machine of its own, and most of its time is waiting.
process: .venv/.test
	$(bin)/pytest -n 2 tests/process tests/faults

conformance: .venv/.test
	$(bin)/pytest tests/conformance

ifeq ($(CONTAINER),no)
container:
	@echo
	@echo '*** CONTAINER TESTS LEFT OUT, because of CONTAINER=no: the image itself was NOT tested ***'
	@echo
else
container: .venv/.test
	tests/engine run $(bin)/pytest tests/container
endif

image: ## build the image: pyinit
	tests/engine run docker build -t pyinit --build-arg VERSION=$$($(PYTHON) -c 'import pyinit; print(pyinit.__version__)') .

man: ## the man pages, from docs/commands: build/man
	tools/man build/man

bench: .venv/.bench ## measure against the C tools
	$(bin)/python -m benchmarks

soak: .venv/.test ## ten minutes of random faults (SECONDS, SEED)
	PYINIT_SOAK_SECONDS=$(or $(SECONDS),600) PYINIT_SEED=$(or $(SEED),1) $(bin)/pytest -s --timeout 3600 tests/process/test_faults.py

coverage: .venv/.test ## what the unit and process levels reach, in every process that they start (a slow test may time out)
	rm -rf .coverage* build/traced
	$(bin)/python tests/traced.py build/traced
	-PYINIT_TRACED_BIN=$(CURDIR)/build/traced $(bin)/coverage run -p -m pytest tests/unit tests/process
	$(bin)/coverage combine -q
	$(bin)/coverage report

faults: .venv/.test ## have system calls fail, one a run, and write docs/faults.md (PHASES)
	PYTHONPATH=tests $(bin)/python -m faults.harness $(PHASES)

nightly: unit soak faults coverage mutants pages ## what takes too long for every change: random faults, mutated pure rooms

pages: .venv/.test ## type every page of the documentation, slow sessions too
	PYINIT_PAGES=all tests/engine run $(bin)/pytest tests/container/test_pages.py

mutants: .venv/.test ## change the pure rooms in small ways; `mutmut results` lists what no test missed
	$(bin)/pip install -q --use-pep517 -e '.[mutants]'
	PATH="$(CURDIR)/$(bin):$$PATH" mutmut run $(MUTANTS)
	PATH="$(CURDIR)/$(bin):$$PATH" mutmut results

clean: ## remove everything that was made here
	tests/engine stop
	rm -rf .venv .engine build dist mutants .coverage* *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

$(made):
	tools/packages $(PYTHON)
	$(PYTHON) -m venv --clear .venv
	@touch $@

.venv/.run: $(made) pyproject.toml $(wildcard bin/*)
	$(bin)/pip install -q --use-pep517 -e .
	@touch $@

.venv/.bench: .venv/.test
	tools/packages $(PYTHON) bench || true
	$(bin)/pip install -q --use-pep517 -e '.[bench]'
	@touch $@ .venv/.test .venv/.run

.venv/.test: $(made) pyproject.toml $(wildcard bin/*)
	tools/packages $(PYTHON) test
	$(bin)/pip install -q --use-pep517 -e '.[test]'
	@touch $@ .venv/.run
