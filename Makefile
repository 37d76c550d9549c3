# Few verbs. Everything is installed into .venv from uv.lock; nothing but Python (>= 3.11) has to be there before.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
ARGS   ?=
# What was compiled, and what it was compiled of: see burnline/compiling.py.
COMPILED := schemas/compiled/ahead/sources.json
SOURCES  := burnline/compiling.py $(wildcard schemas/*.py schemas/compiled/*.py schemas/avro/*.avsc streams/*/*.py streams/core/*/*.py)

.PHONY: help demo test drills check bench compiled pure docs clean
help:           ## list the verbs
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

$(READY): pyproject.toml uv.lock Makefile
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Burnline needs Python 3.11 or newer; $(PYTHON) is older. Run: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "python3 -m venv failed: install the venv module of your Python (on Debian: python3-venv)" >&2; exit 1; }
	@test -x $(BIN)/uv || { echo "getting uv into $(VENV)" >&2; $(BIN)/python -m pip install --quiet --disable-pip-version-check uv; }
	@echo "installing what uv.lock names into $(VENV)" >&2
	@# Exported and installed by name and hash, not by the addresses in the lock, so that a mirror set for pip or uv is used.
	@index="$${UV_DEFAULT_INDEX:-$${PIP_INDEX_URL:-$$($(BIN)/python -m pip config get global.index-url 2>/dev/null || true)}}"; \
	 if [ -n "$$index" ]; then export UV_DEFAULT_INDEX="$$index"; fi; \
	 $(BIN)/uv export --quiet --frozen --all-groups --no-emit-project -o $(VENV)/requirements.txt >/dev/null && \
	 VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --require-hashes -r $(VENV)/requirements.txt && \
	 VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps -e .
	@touch $@

demo: $(READY)  ## the whole product on real parts: a broker, an Odoo, capture, measures, alerts, actions
	@$(BIN)/burnline demo $(ARGS)

test: $(READY)  ## every test: pure, real broker, real Odoo (where its lab is), drills
	@$(BIN)/pytest -n 3 --dist worksteal -m "not alone" $(ARGS)
	@$(BIN)/pytest -m alone $(ARGS) || [ $$? -eq 5 ]  # 5: ARGS chose none of them

drills: $(READY) ## the long proofs: 1,000 random kill -9, 1,000 random firms against SQL, ten minutes of faults on a real Odoo; an hour; another course with make drills SEED=2
	@BURNLINE_TEST_LONG=1 BURNLINE_TEST_FIRMS=1000 BURNLINE_TEST_KILLS=1000 BURNLINE_TEST_SEED=$(or $(SEED),1) $(BIN)/pytest tests/drills/test_workers.py tests/properties/streams/test_oracle.py tests/properties/streams/test_oracle_disputes.py tests/properties/streams/test_oracle_ladder.py tests/drills/test_actions.py --timeout=3600 $(ARGS)
	@BURNLINE_TEST_DRILL_SECONDS=600 $(BIN)/pytest -s --timeout=3600 tests/drills/test_capture.py

check: $(READY) ## format, lint, types, architecture, generated files, what released schemas promise
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m burnline.docs --check
	@$(BIN)/burnline schemas check

bench: $(READY) ## figures, as ratios and CPU seconds per million: make bench ARGS="--json"; compiled, where there is a C compiler
	@{ command -v cc >/dev/null && $(MAKE) --no-print-directory compiled >&2; } || echo "nothing was compiled: the figures are those of plain Python" >&2
	@$(BIN)/python -m tests.bench $(ARGS)

compiled: $(COMPILED) ## machine code of the hot path, twice as fast: takes a C compiler and a minute
$(COMPILED): $(READY) $(SOURCES)
	@$(MAKE) --no-print-directory pure
	@$(BIN)/python -m burnline.compiling

pure:           ## the hot path as plain Python again
	@find schemas streams -name '*.so' -delete
	@rm -f burnline__mypyc*.so $(COMPILED)

docs: $(READY)  ## write what is generated: the typed records, pages, AsyncAPI and data contracts
	@$(BIN)/python -m schemas.generate
	@$(BIN)/python -m burnline.docs

clean: pure     ## remove the virtual environment, caches and what was compiled
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
