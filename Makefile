# Everything the project does, one target each. All set-up is done here: Python packages go to .venv.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check install --quiet
# A package is installed only if its hash is in the lock. What it needs is in the lock too.
LOCKED := $(PIP) --require-hashes --no-deps --requirement
# The project itself with the locked setuptools and hatchling: the content, then the engine. In one call, pip would install
# the command `pylit` first and then remove it with an older content, to which it belonged.
EDIT   := $(PIP) --no-deps --no-build-isolation --editable
SELF   := $(EDIT) . && $(EDIT) ./pylit
METADATA := pyproject.toml pylit/pyproject.toml pylit/VERSION
# A wheel is built from its source distribution, so it holds nothing that is not in there.
BUILD  := $(BIN)/uv build --quiet --offline --no-build-isolation --python $(BIN)/python --out-dir dist
UV     := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
          --no-annotate --no-emit-package annotated-pylit --constraint constraints.txt \
          pyproject.toml requirements/build.in
UV_APART := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
          --no-deps --only-binary :all:
# Half of the tests wait: for a browser, another process, a disk.
WORKERS ?= $(shell echo $$(( ($$(nproc 2>/dev/null || echo 2) * 3 + 1) / 2 )))
ADDRESS ?= 127.0.0.1:8000
# In the order in which they run; each takes less than ten minutes on two cores.
BENCHMARKS := throughput overhead speedrun render rebuild growth lighthouse
# `make bench RECORD=--record` keeps what it measures, for the pages to show.
RECORD  ?=

.DEFAULT_GOAL := help
.PHONY: help site serve quick test world format check lint types prose coverage accept pictures fonts install traces bench update status wheel lock audit clean browser

help:
	@awk -F ':.*## ' '/^##@ /{printf "%s\n", substr($$0, 5)} /^[a-z]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Read
site: $(VENV)/site  ## Build the whole site into site/ (needs no torch)
	$(BIN)/mkdocs build --strict
	@echo "The site is in site/: open site/index.html, or run 'make serve'."

serve: $(VENV)/site  ## Preview the site at http://127.0.0.1:8000, reloading when a file is saved
	$(BIN)/pylit serve --address $(ADDRESS)

##@ Change
quick: $(VENV)/dev $(VENV)/platforms  ## Run the tests that start no process, browser or training: a minute
	$(BIN)/python -m pytest -n auto --dist worksteal -m "not (browser or training or process or slow or thorough)" tests/pylit

test: $(VENV)/dev $(VENV)/world $(VENV)/platforms browser  ## Run the tests; EVERYTHING=1 adds all cases of what is otherwise sampled
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(if $(EVERYTHING),,-m "not thorough")

world: $(VENV)/dev $(VENV)/world  ## Render packages of others and check the pages; WORLD=PATH:PATH tries your own folders
	WORLD="$(WORLD)" $(BIN)/python -m pytest -n auto --dist worksteal tests/world

format: $(VENV)/dev  ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

check: lint types prose test site  ## Run everything that CI runs

# Parts of `make check`.
lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/zizmor --offline --no-progress --quiet .github

types: $(VENV)/dev
	$(BIN)/mypy

prose: $(VENV)/site
	$(BIN)/pylit check

# Run the engine's tests, and fail if they leave too many of its branches out.
coverage: $(VENV)/dev $(VENV)/platforms browser
	$(BIN)/python -m coverage run -m pytest --hypothesis-profile=random tests/pylit
	$(BIN)/python -m coverage report

# Take the pages that the tests get now for the expected ones.
accept: $(VENV)/dev
	PYLIT_ACCEPT=1 $(BIN)/python -m pytest -q tests/pylit/test_pages.py

# Draw those pictures of the gallery anew whose pages have changed; ALL=--all draws all of them, after a change of the looks.
pictures: $(VENV)/dev browser
	$(BIN)/python tests/gallery.py $(ALL)
	$(BIN)/python tests/readme_picture.py

##@ Train
# The fonts and KaTeX's stylesheet that pages load, as npm has them.
fonts: $(VENV)/dev
	.ci/fonts $(BIN)

install: $(VENV)/dev  ## Install everything into .venv, torch included; then run python -m labml_nn.resnet.experiment
	@echo "Installed. Train with: $(BIN)/python -m labml_nn.resnet.experiment --help"

traces: $(VENV)/dev  ## Record the shapes and pictures of tensors that pages show, by running the examples
	$(BIN)/pylit trace
	$(BIN)/pylit trace labml_nn/resnet/__init__.py --pictures experiments/pictures/block.py

bench: $(VENV)/dev  ## Measure what is claimed about speed, beside peers; takes a while and wants a quiet machine
	@for name in $(BENCHMARKS); do $(BIN)/python -m benchmarks.$$name $(RECORD) || exit 1; done

##@ Translate
update: $(VENV)/site  ## Bring the translators' catalogs in line with the sources
	$(BIN)/pylit update

status: $(VENV)/site  ## Show how far each page is translated
	$(BIN)/pylit status

##@ Release
wheel: $(VENV)/dev  ## Build the packages, engine and content, as wheels and source distributions into dist/
	rm -rf dist *.egg-info  # setuptools would publish what is listed in an old one
	$(BUILD) pylit
	$(BUILD) .

lock: $(VENV)/dev  ## Write the versions installed now to constraints.txt, and their hashes and licences to requirements/
	@sed -n 1p constraints.txt > constraints.new
	$(BIN)/python -m pip freeze --exclude-editable | sed 's/+cpu$$//' >> constraints.new
	@mv constraints.new constraints.txt
	$(UV) --extra site --output-file requirements/site.lock
	$(UV) --extra dev requirements/torch.in --override requirements/torch.override --output-file requirements/dev.lock
	$(UV) --extra audit --output-file requirements/audit.lock
	$(UV_APART) requirements/world.in --output-file requirements/world.lock
	$(UV_APART) requirements/platforms.in --output-file requirements/platforms.lock
	$(BIN)/python tests/licences.py

audit: $(VENV)/python  ## Ask the advisory databases about all locked packages (needs the network)
	@$(PYTHON) -m venv $(VENV)/audit
	$(VENV)/audit/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes --no-deps --requirement requirements/audit.lock
	$(VENV)/audit/bin/pip-audit --strict --no-deps --disable-pip --requirement constraints.txt
	$(VENV)/audit/bin/pip-audit --strict --no-deps --disable-pip --requirement requirements/dev.lock

clean:  ## Remove what was built and installed
	rm -rf site .site.pylit-new build dist *.egg-info $(VENV) .pytest_cache .mypy_cache .ruff_cache

# Make sure that a browser for the tests is there.
browser:
	@$(BIN)/python tests/browser.py

$(VENV)/python:
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/site: $(VENV)/python $(METADATA) requirements/site.lock
	@echo "Installing what the site needs into $(VENV) ..."
	$(LOCKED) requirements/site.lock
	$(SELF)
	@touch $@

# Only tests/world reads them, and tests/peers.py imports torchvision.
$(VENV)/world: $(VENV)/python requirements/world.lock
	@echo "Fetching the packages of others that the tests render ..."
	rm -rf $(VENV)/world
	$(LOCKED) requirements/world.lock --only-binary :all: --no-compile --target $(VENV)/world
	@touch $@

# Nor these: tests run them as programs.
$(VENV)/platforms: $(VENV)/python requirements/platforms.lock
	@echo "Fetching the programs of translation platforms that the tests run ..."
	rm -rf $(VENV)/platforms
	$(LOCKED) requirements/platforms.lock --only-binary :all: --no-compile --target $(VENV)/platforms
	@touch $@

$(VENV)/dev: $(VENV)/python $(METADATA) constraints.txt requirements/dev.lock
	@echo "Installing everything into $(VENV), torch included; this takes a minute or two ..."
	$(LOCKED) requirements/dev.lock
	$(PIP) --constraint constraints.txt torch
	$(SELF)
	@touch $@ $(VENV)/site
