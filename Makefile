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

# Figures, as ratios, and docs/benchmarks.md from them; see benchmarks/README.md. Half an hour, on an idle machine.
# The peers bring clients and loops of their own, which the tests should not find.
BENCH := .venv-bench/bin/python
bench: .venv-bench/.ready
	$(BENCH) benchmarks/in_process.py
	$(BENCH) benchmarks/stores.py
	$(BENCH) benchmarks/large_bodies.py
	$(BENCH) benchmarks/growth.py
	$(BENCH) benchmarks/start_up.py
	$(BENCH) benchmarks/ripemd128.py
	$(BENCH) benchmarks/end_to_end.py
	$(BENCH) benchmarks/page.py

.venv-bench/.ready: pyproject.toml setup.py src/hooklatch/_ripemd128_c.c
	$(PYTHON) -m venv .venv-bench
	$(BENCH) -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BENCH) -m pip install --quiet --editable . --group bench
	touch $@

# A coverage-guided fuzzer over parsers and doors, SECONDS for each of its targets.
SECONDS ?= 60
fuzz: .venv/.ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group fuzz
	$(BIN)/python fuzz/fuzz.py --target all --seconds $(SECONDS)

# Does a test notice when the code that decides is changed? See tools/mutants.py; ARGS="--sample 20" for a sample.
mutants: .venv/.ready
	nice -n 19 $(BIN)/python tools/mutants.py $(ARGS)

# The C extension is built in place where there is a compiler.
.venv/.ready: pyproject.toml setup.py src/hooklatch/_ripemd128_c.c
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("hooklatch needs Python 3.11 or later: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable '.[demo]' --group test --group lint
	touch $@

clean:
	rm -rf .venv .venv-bench build dist src/*.egg-info .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache .mutants
