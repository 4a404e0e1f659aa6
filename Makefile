# Two commands for a newcomer: `make table1` and `make test`. Both set the environment up first.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
ARGS   ?=
# the notebooks that `make notebooks` publishes, or the claims that `make claims` judges; all of the
# former unless told otherwise
ONLY   ?=
SEEDS  ?=
CODE   := paperlib tools tests notebooks benchmarks
# those that git keeps the text form of: a reader's copies and outputs are not ours to test
TEXTS     = $(or $(shell git ls-files 'notebooks/*.py' 2>/dev/null),$(wildcard notebooks/*.py notebooks/*/*.py))
NOTEBOOKS = $(patsubst %.py,%.ipynb,$(TEXTS))

# how long `make gpu-results` may take in one go; until all is done unless told otherwise
MINUTES ?=

.PHONY: help setup table1 test quick lab claims notebooks site benchmarks gpu-results cmu clean

help:
	@echo "make table1          run the main notebook (ARGS=\"-p receptive_field 243\" sets parameters)"
	@echo "make test            run every test, the notebooks among them"
	@echo "make lab             open JupyterLab"
	@echo "make quick           the fast tests only"
	@echo "make claims          judge a claim anew (ONLY=pavllo2019-c01); without, what each one takes"
	@echo "make notebooks       execute the notebooks anew and record their results (ONLY=table1 SEEDS=\"1 2\")"
	@echo "make site            build the site to read: out/site/index.html"
	@echo "make benchmarks      measure the speed on this machine (ONLY=\"training inference\")"
	@echo "make gpu-results     on a GPU: benchmarks and the papers' own sizes (MINUTES=9, again to go on)"
	@echo "make cmu             download the CMU motion capture (free for research)"
	@echo "make clean           remove what was made, but not the data"

setup: $(READY)

# torch comes first and alone, so that everything after takes the build that this one brought
$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check torch==2.13.0
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[test,site,exports]"
	@touch $@

table1: $(READY)
	$(BIN)/python -m paperlib run notebooks/table1.ipynb out/table1.ipynb $(ARGS)

# Notebooks run with the smoke preset and train anew. What they write goes to a folder that this one
# run of the tests has, and removes at its end. One thread a worker: two workers with a thread pool
# each would only get in each other's way.
test: $(READY)
	$(BIN)/python -m ruff check $(CODE)
	$(BIN)/python -m ruff format --check --quiet $(CODE)
	@mkdir -p out && own=$$(mktemp -d out/tests-XXXXXX) && \
	trap 'rm -rf "$$own"' EXIT && trap 'exit 130' HUP INT TERM && \
	PAPERLIB_PRESET=smoke PAPERLIB_RUNS=$$own/runs PAPERLIB_OUT=$$own/out OMP_NUM_THREADS=1 \
	$(BIN)/python -m pytest -n 2 --dist loadfile --nbval-lax --nbval-current-env \
	  $(NOTEBOOKS) tests $(ARGS)

quick: $(READY)
	$(BIN)/python -m pytest -m "not slow" tests $(ARGS)

lab: $(READY)
	$(BIN)/jupyter lab --notebook-dir=. notebooks/start_here.ipynb

claims: $(READY)
	$(BIN)/python -m paperlib claims $(ONLY) $(if $(SEEDS),--seeds $(SEEDS))

notebooks: $(READY)
	$(BIN)/python -m tools publish $(ONLY) --seeds $(SEEDS)

site: $(READY)
	$(BIN)/python -m tools site

benchmarks: $(READY)
	$(BIN)/python -m benchmarks $(ONLY)

gpu-results: $(READY)
	$(BIN)/python -m tools gpu-results $(if $(MINUTES),--minutes $(MINUTES))

cmu: $(READY)
	$(BIN)/python -m paperlib data cmu

clean:
	rm -rf $(VENV) out runs .pytest_cache .ruff_cache *.egg-info
