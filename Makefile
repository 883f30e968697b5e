# Everything the project does, one target each. All set-up is done here: Python packages go to .venv.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
ADDRESS ?= 127.0.0.1:8000

.DEFAULT_GOAL := help
.PHONY: help install site serve test check lint types prose format accept update traces lock browser clean

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

check: lint types prose test site  ## What CI runs: lint, types, prose, tests, a strict build of the site

lint: $(VENV)/dev  ## Check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

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

lock: $(VENV)/dev  ## Write the versions installed now to constraints.txt
	@sed -n 1p constraints.txt > constraints.new
	$(BIN)/python -m pip freeze --exclude-editable | sed 's/+cpu$$//' >> constraints.new
	@mv constraints.new constraints.txt

browser:  ## Make sure that a browser for the tests is there
	@$(BIN)/python tests/browser.py

clean:  ## Remove what was built and installed
	rm -rf site build *.egg-info $(VENV) .pytest_cache .mypy_cache .ruff_cache

$(VENV)/python:
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/site: $(VENV)/python setup.py constraints.txt
	@echo "Installing what the site needs into $(VENV) ..."
	$(PIP) --editable '.[site]'
	@touch $@

$(VENV)/dev: $(VENV)/python setup.py constraints.txt
	@echo "Installing everything into $(VENV), torch included; this takes a minute or two ..."
	$(PIP) --editable '.[dev]'
	@touch $@ $(VENV)/site
