# One command a line; `make test` is what CI runs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCK = uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header -q

# Bytecode is kept wherever this runs: the tests start some hundred interpreters.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: install demo test test-long bench lock

$(VENV)/runtime: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/dev: $(VENV)/runtime requirements-dev.lock
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
	touch $@

install: $(VENV)/runtime  ## install into .venv, locked and hashed

demo: install  ## the whole story on this machine; CHECK=1 plays it by itself
	$(BIN)/sudare demo $(if $(CHECK),--check)

test: $(VENV)/dev  ## all that CI runs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -m "not long" -n 3 --dist loadfile --no-loadscope-reorder

test-long: $(VENV)/dev  ## the long hunts
	$(BIN)/pytest -m long

bench: $(VENV)/dev  ## ratios to a floor measured in the same run
	@for each in benchmarks/bench_*.py; do $(BIN)/python $$each || exit 1; done

lock:  ## after a change of dependencies; needs uv
	$(LOCK) --extra install -o requirements.lock
	$(LOCK) --extra install --extra dev -o requirements-dev.lock
