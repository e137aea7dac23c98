# Two commands for a stranger: `make demo`, `make test`. Each sets up what it needs in .venv.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test check lint types bench fuzz mutants clean

demo: .venv/.ready
	$(BIN)/hooklatch demo

test: .venv/.ready
	$(BIN)/python -m pytest -n auto $(PYTEST_ARGS)

# Everything CI runs.
check: lint types test

lint: .venv/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.ready
	$(BIN)/mypy

# Figures, as ratios; see benchmarks/README.md.
bench: .venv/.ready
	$(BIN)/python benchmarks/stores.py
	$(BIN)/python benchmarks/large_bodies.py

# A coverage-guided fuzzer over parsers and doors, SECONDS for each of its targets.
SECONDS ?= 60
fuzz: .venv/.ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group fuzz
	$(BIN)/python fuzz/fuzz.py --target all --seconds $(SECONDS)

# Does a test notice when the code that decides is changed? See tools/mutants.py; ARGS="--sample 20" for a sample.
mutants: .venv/.ready
	nice -n 19 $(BIN)/python tools/mutants.py $(ARGS)

.venv/.ready: pyproject.toml
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("hooklatch needs Python 3.11 or later: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable '.[demo]' --group test --group lint
	touch $@

clean:
	rm -rf .venv build dist src/*.egg-info .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache .mutants
