# `make help` lists what there is. Each target installs what it needs; nothing is installed outside .venv.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv pip
STAMP := $(VENV)/.installed
export UV_LINK_MODE ?= copy

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

$(BIN)/uv: requirements/bootstrap.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt

$(STAMP)-evaluation: $(BIN)/uv requirements/evaluation.txt pyproject.toml
	$(UV) install --quiet --python $(BIN)/python --require-hashes -r requirements/evaluation.txt
	$(UV) install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

$(STAMP)-demo: $(STAMP)-evaluation requirements/demo.txt
	$(UV) install --quiet --python $(BIN)/python --require-hashes -r requirements/demo.txt
	@touch $@

$(STAMP)-test: $(STAMP)-evaluation requirements/test.txt
	$(UV) install --quiet --python $(BIN)/python --require-hashes -r requirements/test.txt
	@touch $@

$(STAMP)-check: $(STAMP)-test requirements/check.txt
	$(UV) install --quiet --python $(BIN)/python --require-hashes -r requirements/check.txt
	@touch $@

setup: $(STAMP)-evaluation ## Install Assay into .venv
setup-dev: $(STAMP)-check $(STAMP)-demo ## Install all that development needs

demo: $(STAMP)-demo ## Two prompts on a small local model: which one is better, and is that sure?
	$(BIN)/assay demo

test: $(STAMP)-test ## Run every test
	$(BIN)/python -m pytest -n 4 --dist loadgroup

bench: $(STAMP)-test ## Measure the engine against a local load server
	$(BIN)/python benchmarks/run.py

bench-db: $(STAMP)-test ## Measure the database with a million results
	$(BIN)/python benchmarks/db.py

bench-stats: $(STAMP)-test ## Measure coverage and false alarms of the statistics
	$(BIN)/python benchmarks/run_stats.py

bench-compare: $(STAMP)-test ## Measure a comparison of 20 candidates on 10,000 cases and 10 metrics
	OPENBLAS_NUM_THREADS=1 $(BIN)/python benchmarks/compare.py

bench-metrics: $(STAMP)-test ## Hold the metrics against published figures and people's labels (DATA=folder)
	ASSAY_BENCH_DATA="$(or $(DATA),$(ASSAY_BENCH_DATA))" $(BIN)/python benchmarks/run_metrics.py

check: $(STAMP)-check ## Lint, format check, strict types and the schemas of the CI templates
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/check-jsonschema --builtin-schema vendor.github-actions ci/github/action.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.gitlab-ci ci/gitlab/assay.gitlab-ci.yml

format: $(STAMP)-check ## Format the source
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

COMPILE := $(UV) compile --quiet --generate-hashes --universal --python-version 3.11 --no-header
lock: $(BIN)/uv ## Compile requirements/*.txt from pyproject.toml
	$(COMPILE) pyproject.toml -o requirements/evaluation.txt
	$(COMPILE) pyproject.toml --extra demo -c requirements/evaluation.txt -o requirements/demo.txt
	$(COMPILE) pyproject.toml --group test -c requirements/evaluation.txt -o requirements/test.txt
	$(COMPILE) pyproject.toml --group test --group check -c requirements/test.txt -o requirements/check.txt

.PHONY: help setup setup-dev demo test bench bench-db check format lock bench-stats bench-compare bench-metrics
