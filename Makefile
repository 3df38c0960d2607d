# Every target sets up what it needs; `make help` lists them.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.complete

.DEFAULT_GOAL := help
.PHONY: help setup browser promtool mutants demo test check docs bench fuzz samples example screenshots clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## make .venv with recontool and all that its tests need

# A path to look for modules in, as an installed package has one; the import hook that stands there else takes every start 8 ms.
EDITABLE := --config-settings editable_mode=compat

# ensurepip is its own package on Debian (python3-venv), so ask before venv fails half way.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "recontool needs Python 3.11 or newer; say which with: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
	  { echo "$(PYTHON) cannot make virtual environments; on Debian: apt-get install python3-venv"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints.txt $(EDITABLE) -e '.[dev]'
	@touch $@

browser: ## install Debian's Chromium for the browser tests, where you may
	@if command -v chromium >/dev/null 2>&1; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null \
	    || echo "no Chromium could be installed: the browser tests will be skipped"; \
	else echo "no Chromium: the browser tests will be skipped; to run them: sudo apt-get install chromium"; fi

promtool: ## unpack the promtool of Debian's prometheus for the export tests, where it can be had
	@if test -x .promtool/usr/bin/promtool; then :; \
	elif command -v apt-get >/dev/null 2>&1 && command -v dpkg >/dev/null 2>&1; then \
	  mkdir -p .promtool && cd .promtool && { [ "$$(id -u)" != 0 ] || apt-get update -qq >/dev/null 2>&1 || true; } \
	    && apt-get download -qq prometheus >/dev/null 2>&1 \
	    && dpkg -x prometheus_*.deb . && rm -f prometheus_*.deb usr/bin/prometheus \
	    || echo "no promtool could be unpacked: the tests that ask it will be skipped"; \
	else echo "no apt-get and dpkg, so no promtool: the tests that ask it will be skipped"; fi

mutants: $(STAMP) ## break the alert engine in many ways and show that each is noticed
	$(BIN)/python tests/mutants.py

demo: $(STAMP) ## run a real fleet through real faults and report on it
	$(BIN)/recontool demo

# A module stays on one processor, so that what its tests share is made once.
test: $(STAMP) browser promtool ## run every test, notebooks included
	$(BIN)/pytest -n auto --dist loadscope

check: $(STAMP) ## lint, format, types, layers, generated docs, spelling
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/generate.py --check
	$(BIN)/codespell

docs: $(STAMP) ## write the generated parts of README and docs anew
	$(BIN)/python docs/generate.py

bench: $(STAMP) ## measure reading beside other tools (pip install -e '.[bench]' brings them), alerts and pages
	$(BIN)/python bench/reading.py
	$(BIN)/python bench/formats.py
	$(BIN)/python bench/alerts.py
	$(BIN)/python bench/alerting.py
	$(BIN)/python bench/kills.py
	$(BIN)/python bench/report.py
	$(BIN)/python bench/dashboard.py

fuzz: $(STAMP) ## compare the compiled core with the reference a million times
	$(BIN)/python tests/kernel/fuzz.py --cases 1000000

samples: $(STAMP) ## write sample_logs/ anew and show what changed
	$(BIN)/python sample_logs/make.py --seed 7
	@git diff --stat --exit-code -- sample_logs && echo "sample_logs: unchanged"

example: $(STAMP) ## write reports/example.html anew from sample_logs/
	$(BIN)/recontool report sample_logs/*.log --html -o reports/example.html

screenshots: $(STAMP) browser ## take reports/screenshots/ anew from reports/example.html
	$(BIN)/python reports/screenshots.py

clean: ## remove the virtual environment and everything else that was made
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .promtool recontool-data
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
