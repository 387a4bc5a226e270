# The commands of this project. A bare `make` lists them: the text after each target's `##`.

PYTHON ?= python3
PORT ?= 8501
FROM ?= ../shared/mlcommons
COUNT ?= 100000

VENV := .venv
BIN := $(VENV)/bin
ROOMS := app.py mlperf loaders ui pages
# Compiled once, by all cores: pip takes one, and where PYTHONDONTWRITEBYTECODE is set every process would do it again.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile
COMPILE := $(BIN)/python -m compileall -q -j 0 -x '/tests?/' $(VENV)/lib

.DEFAULT_GOAL := help
.PHONY: help run test lint bench fuzz snapshot

help:
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r name text; do \
		printf 'make %-10s %s\n' "$$name" "$$text"; done

run: $(VENV)/run.stamp ## start the dashboard at http://localhost:8501 (another port: make run PORT=8601)
	@echo "Roundtable starts at http://localhost:$(PORT) (Ctrl+C ends it)"
	@$(BIN)/streamlit run app.py --server.port $(PORT)

test: lint ## check style and types, then run all tests, those in a real Chromium too
	$(BIN)/python tests/browser/chromium.py
	$(BIN)/python -m pytest --numprocesses 2 --dist loadgroup

lint: $(VENV)/dev.stamp ## check style (ruff) and types (mypy --strict)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(ROOMS)

bench: $(VENV)/dev.stamp ## measure redraws, the parsing of logs and the rebuilding of the snapshot, side by side with a floor
	$(BIN)/python tests/browser/chromium.py
	$(BIN)/python -m pytest --quiet --capture no --override-ini python_files='bench_*.py' tests/bench

fuzz: $(VENV)/dev.stamp ## damage 100,000 real logs at random and upload them (another number: make fuzz COUNT=1000000)
	ROUNDTABLE_UPLOAD_MUTATIONS=$(COUNT) ROUNDTABLE_UPLOAD_SEED=$$(date +%s) \
		$(BIN)/python -m pytest --quiet tests/property/test_own_mutations.py

snapshot: $(VENV)/run.stamp ## rebuild data/ from MLCommons' files (from elsewhere: make snapshot FROM=folder)
	$(BIN)/python -m loaders snapshot --jobs 2 --from $(FROM)

# The stamps say which requirements .venv holds: an unchanged file is not installed again.
$(VENV)/run.stamp: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit("This needs Python 3.11 or newer; $(PYTHON) is %d.%d. \
	Name a newer one: make run PYTHON=python3.12" % sys.version_info[:2] if sys.version_info < (3, 11) else 0)'
	@echo "Installing requirements.txt into $(VENV) (once, about half a minute) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) -r requirements.txt
	-@$(COMPILE)
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt $(VENV)/run.stamp
	@echo "Installing requirements-dev.txt into $(VENV) ..."
	@$(PIP) -r requirements-dev.txt
	-@$(COMPILE)
	@touch $@
