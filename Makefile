# Everything the project does, one target each. All set-up is done here: Python packages go to .venv.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check install --quiet
# A package is installed only if its hash is in the lock. What it needs is in the lock too.
LOCKED := $(PIP) --require-hashes --no-deps --requirement
# The project itself, with the locked setuptools.
SELF   := $(PIP) --no-deps --no-build-isolation --editable .
UV     := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
          --no-annotate --constraint constraints.txt setup.py requirements/build.in
ADDRESS ?= 127.0.0.1:8000
# In the order in which they run; each takes less than ten minutes on two cores.
BENCHMARKS := throughput overhead speedrun render rebuild growth
# `make bench RECORD=--record` keeps what it measures, for the pages to show.
RECORD  ?=

.DEFAULT_GOAL := help
.PHONY: help install site serve test check coverage lint types prose format accept update traces bench lock audit browser clean

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/dev  ## Install everything for development into .venv (torch included)

site: $(VENV)/site  ## Build the whole site into site/ (needs no torch)
	$(BIN)/mkdocs build --strict
	@echo "The site is in site/: open site/index.html, or run 'make serve'."

serve: $(VENV)/site  ## Preview the site at http://127.0.0.1:8000, reloading when a file is saved
	$(BIN)/mkdocs serve --dev-addr $(ADDRESS)

test: $(VENV)/dev browser  ## Run the tests
	$(BIN)/python -m pytest -n auto -m "not alone"
	$(BIN)/python -m pytest -m alone

coverage: $(VENV)/dev browser  ## Run the engine's tests, and fail if they leave too many of its branches out
	$(BIN)/python -m coverage run -m pytest --hypothesis-profile=default -m "not alone" tests/pylit
	$(BIN)/python -m coverage report

check: lint types prose test site  ## What CI runs: lint, types, prose, tests, a strict build of the site

lint: $(VENV)/dev  ## Check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/zizmor --offline --no-progress --quiet .github

types: $(VENV)/dev  ## Check types
	$(BIN)/mypy

prose: $(VENV)/site  ## Check prose: formulas, links, translations, parameters in docstrings
	$(BIN)/pylit check

format: $(VENV)/dev  ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

accept: $(VENV)/dev  ## Take the pages that the tests get now for the expected ones
	PYLIT_ACCEPT=1 $(BIN)/python -m pytest -q tests/pylit/test_pages.py

update: $(VENV)/site  ## Bring the translators' catalogs in line with the sources
	$(BIN)/pylit update

traces: $(VENV)/dev  ## Record the shapes of tensors that pages show, by running the examples
	$(BIN)/pylit trace

bench: $(VENV)/dev  ## Measure what is claimed about speed, beside peers; takes a while and wants a quiet machine
	@for name in $(BENCHMARKS); do $(BIN)/python -m benchmarks.$$name $(RECORD) || exit 1; done

lock: $(VENV)/dev  ## Write the versions installed now to constraints.txt, and their hashes and licences to requirements/
	@sed -n 1p constraints.txt > constraints.new
	$(BIN)/python -m pip freeze --exclude-editable | sed 's/+cpu$$//' >> constraints.new
	@mv constraints.new constraints.txt
	$(UV) --extra site --output-file requirements/site.lock
	$(UV) --extra dev requirements/torch.in --override requirements/torch.override --output-file requirements/dev.lock
	$(UV) --extra audit --output-file requirements/audit.lock
	$(BIN)/python tests/licences.py

audit: $(VENV)/python  ## Ask the advisory databases about all locked packages (needs the network)
	@$(PYTHON) -m venv $(VENV)/audit
	$(VENV)/audit/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes --no-deps --requirement requirements/audit.lock
	$(VENV)/audit/bin/pip-audit --strict --no-deps --disable-pip --requirement constraints.txt
	$(VENV)/audit/bin/pip-audit --strict --no-deps --disable-pip --requirement requirements/dev.lock

browser:  ## Make sure that a browser for the tests is there
	@$(BIN)/python tests/browser.py

clean:  ## Remove what was built and installed
	rm -rf site build *.egg-info $(VENV) .pytest_cache .mypy_cache .ruff_cache

$(VENV)/python:
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/site: $(VENV)/python setup.py requirements/site.lock
	@echo "Installing what the site needs into $(VENV) ..."
	$(LOCKED) requirements/site.lock
	$(SELF)
	@touch $@

$(VENV)/dev: $(VENV)/python setup.py constraints.txt requirements/dev.lock
	@echo "Installing everything into $(VENV), torch included; this takes a minute or two ..."
	$(LOCKED) requirements/dev.lock
	$(PIP) --constraint constraints.txt torch
	$(SELF)
	@touch $@ $(VENV)/site
