# The README's two commands are `make demo` and `make test`; each sets up what it needs.
PYTHON ?= python3
# Number of parallel test processes: one per processor.
WORKERS ?= logical

NEWEST := .venv
OLDEST := .venv-oldest
DOCS := .venv-docs
RELEASE := .venv-release
# Silences the banner about MkDocs 2 that is printed with each build.
MKDOCS := NO_MKDOCS_2_WARNING=1 $(DOCS)/bin/mkdocs
UV := $(NEWEST)/bin/uv

# Keep compiled modules, whatever the environment says: otherwise every process compiles Airflow again.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help demo ui check check-tests test lint types docs docs-serve endpoints bench-imports bench-sync test-newest \
  test-oldest test-matrix format hooks dist requirements clean

help:
	@echo "make demo   run the main job on a loopback Altcraft and an embedded warehouse"
	@echo "make ui     start a full Airflow with the example DAGs and a loopback Altcraft"
	@echo "make check  lint, types, and the quick tests on the newest Airflow: within a minute"
	@echo "make test   lint, types, documentation, and the whole suite on the newest and oldest Airflow"
	@echo "make format format the code; make hooks makes git run lint before each commit"
	@echo "make test-matrix [PAIRS=airflow-3.1]   the suite on the Airflow versions in between, and on newer Pythons"
	@echo "make docs   build the documentation into build/site; make docs-serve serves it at http://127.0.0.1:8000"
	@echo "make dist   build the release into dist/, and try it in an empty environment"

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is required: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(NEWEST)
	$(NEWEST)/bin/python -m pip install --quiet --disable-pip-version-check uv

$(NEWEST)/.ready: requirements/airflow-3.3.txt pyproject.toml | $(UV)
	$(UV) pip install --quiet --python $(NEWEST)/bin/python -r requirements/airflow-3.3.txt
	$(UV) pip install --quiet --python $(NEWEST)/bin/python --no-deps --editable .
	@touch $@

$(OLDEST)/.ready: requirements/airflow-2.11.txt pyproject.toml | $(UV)
	$(UV) venv --quiet --clear --no-python-downloads --python '>=3.11,<3.13' $(OLDEST)
	$(UV) pip install --quiet --python $(OLDEST)/bin/python -r requirements/airflow-2.11.txt
	$(UV) pip install --quiet --python $(OLDEST)/bin/python --no-deps --editable .
	@touch $@

$(DOCS)/.ready: requirements/docs.txt | $(UV)
	$(UV) venv --quiet --clear --python $(NEWEST)/bin/python $(DOCS)
	$(UV) pip install --quiet --python $(DOCS)/bin/python -r requirements/docs.txt
	@touch $@

$(RELEASE)/.ready: requirements/release.txt | $(UV)
	$(UV) venv --quiet --clear --python $(NEWEST)/bin/python $(RELEASE)
	$(UV) pip install --quiet --python $(RELEASE)/bin/python -r requirements/release.txt
	@touch $@

requirements: | $(UV)
	for set in airflow-3.3 airflow-2.11; do \
	  $(UV) pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-header --no-annotate \
	    pyproject.toml requirements/$$set.in -o requirements/$$set.txt || exit 1; \
	done
	for set in docs release; do \
	  $(UV) pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-header --no-annotate \
	    requirements/$$set.in -o requirements/$$set.txt || exit 1; \
	done

demo: $(NEWEST)/.ready
	@$(NEWEST)/bin/python example_dags/demo

ui: $(NEWEST)/.ready
	@$(NEWEST)/bin/python example_dags/demo/ui.py

check: lint types check-tests

test: lint types docs test-newest test-oldest

lint: $(NEWEST)/.ready
	$(NEWEST)/bin/ruff format --check .
	$(NEWEST)/bin/ruff check .

types: $(NEWEST)/.ready
	$(NEWEST)/bin/mypy

check-tests: $(NEWEST)/.ready
	$(NEWEST)/bin/python -m pytest -n $(WORKERS) -q --quick -m "not slow" --hypothesis-profile=quick

test-newest: $(NEWEST)/.ready
	$(NEWEST)/bin/python -m pytest -n $(WORKERS)

# Tests that do not involve Airflow run on the newest only.
test-oldest: $(OLDEST)/.ready
	$(OLDEST)/bin/python -m pytest -n $(WORKERS) --airflow-only

docs: $(DOCS)/.ready
	$(MKDOCS) build --strict
	@# Fonts, scripts, images and styles are all part of the site: a reader's browser contacts no other host.
	@! grep -rnoE '<(script|link|img|iframe)[^>]* (src|href)="?(https?:)?//[^ >]+|(@import|url\()[^;)]*//[^;)]+' \
	  --include=*.html --include=*.css build/site

docs-serve: $(DOCS)/.ready
	$(MKDOCS) serve --dev-addr 127.0.0.1:8000

test-matrix: $(NEWEST)/.ready
	$(NEWEST)/bin/python tests/matrix.py $(PAIRS)

bench-imports: $(NEWEST)/.ready
	$(UV) venv --quiet --clear --python $(NEWEST)/bin/python .venv-benchmarks
	$(UV) pip install --quiet --python .venv-benchmarks/bin/python -r requirements/airflow-3.3.txt \
	  apache-airflow-providers-http apache-airflow-providers-dbt-cloud apache-airflow-providers-databricks \
	  apache-airflow-providers-airbyte
	$(UV) pip install --quiet --python .venv-benchmarks/bin/python --no-deps --editable .
	.venv-benchmarks/bin/python benchmarks/imports.py

endpoints: $(NEWEST)/.ready
	$(NEWEST)/bin/python -m airflow_provider_altcraft.api.table docs/endpoints.md

bench-sync: $(NEWEST)/.ready
	$(NEWEST)/bin/python -m benchmarks.sync --plot docs/sync.png

format: $(NEWEST)/.ready
	$(NEWEST)/bin/ruff format .
	$(NEWEST)/bin/ruff check --fix .

hooks: $(NEWEST)/.ready
	@printf '#!/bin/sh\n# Written by `make hooks`.\nexec make --no-print-directory lint\n' \
	  > "$$(git rev-parse --git-path hooks)/pre-commit"
	@chmod +x "$$(git rev-parse --git-path hooks)/pre-commit"
	@echo "git now runs make lint before each commit; git commit --no-verify skips it"

dist: $(NEWEST)/.ready $(RELEASE)/.ready
	rm -rf dist
	$(UV) build --quiet --no-build-isolation --python $(RELEASE)/bin/python --out-dir dist
	$(RELEASE)/bin/twine check --strict dist/*
	$(NEWEST)/bin/python tests/release.py dist/*.whl

clean:
	rm -rf $(NEWEST) $(OLDEST) $(DOCS) $(RELEASE) dist .venv-wheel .venv-matrix .venv-benchmarks .venv-benchmarks-sync .run build/site
