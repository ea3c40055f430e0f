# Two public verbs: `make run` and `make test`. The rest serves whoever changes the code: `make help`.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# The first Python that will do; PYTHON=/path/to/python decides.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && { command -v $$p; break; }; done)
PY := .venv/bin/python
WORKERS ?= 2

.PHONY: run test help setup setup-test lint format types js pytest journeys migrate migration proof chaos bench lock clean

run: setup ## Arrancar todo (demostración incluida) hasta Ctrl-C
	@exec $(PY) -m app.cli.main run

test: setup-test lint types js pytest ## Correr todas las pruebas, como la integración continua

help: ## Mostrar esta lista
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | awk -F'|' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: python ## Instalar lo que falta para correr
	@$(PYTHON) tools/bootstrap.py

setup-test: python ## Instalar además lo que piden las pruebas
	@$(PYTHON) tools/bootstrap.py --test

.PHONY: python
python:
	@test -n "$(PYTHON)" || { echo 'Hace falta Python 3.11, 3.12 o 3.13.'; echo '  Siguiente paso: instalarlo, o indicarlo: make run PYTHON=/ruta/a/python3.11'; exit 2; } >&2

lint: ## Estilo, capas y reglas propias
	@$(PY) -m ruff check .
	@$(PY) -c 'from importlinter.cli import lint_imports_command as lint; lint()'
	@$(PY) -m tools.lint

format: ## Dar formato al código Python
	@$(PY) -m ruff format .

types: ## Comprobar los tipos
	@$(PY) -m mypy

js: ## Probar los módulos de JavaScript
	@$(PY) -m tools.node --test 'tests/unit/ui/modules/*.test.js'

pytest: ## Correr las pruebas de Python: make pytest only=tests/unit
ifdef only
	@$(PY) -m pytest -n $(WORKERS) --dist loadgroup $(only)
else
	@$(PY) -m pytest -n $(WORKERS) --dist loadgroup -m 'not product and not journey'
	@$(PY) -m pytest -n 0 -m 'product and not journey' tests/e2e
endif

journeys: setup-test ## Recorrer el producto entero: accesibilidad de cada página, y procesos que mueren y vuelven
	@$(PY) -m pytest -n 0 -p no:randomly -m journey tests/e2e

migrate: setup ## Llevar la base de esta instalación a la última revisión
	@$(PY) -m app.cli.main migrate

migration: ## Empezar una migración, con el producto en marcha: make migration m="add alarm priority"
	@PIPC_DB_MIGRATE_URL_FILE=$${PIPC_HOME:-.pipc}/secrets/url-migrate $(PY) -m alembic revision --autogenerate -m "$(m)"

proof: setup-test ## Demostrar el aislamiento entre municipios (pgrls lint y verify) y ver el veredicto
	@$(PY) -m tools.proof

chaos: setup-test ## Matar procesos 1.000 veces y comprobar que nada se pierde ni se duplica
	@PIPC_KILLS=1000 $(PY) -m pytest -n 0 -p no:randomly -m chaos $(only)

bench: setup-test ## Medir; make bench only=<nombre>
	@$(PY) -m bench.run $(only)

lock: ## Recalcular los paquetes fijados después de cambiar pyproject.toml
	@export UV_CUSTOM_COMPILE_COMMAND='make lock'; compile="$(PY) -m uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate -q"; \
	$$compile pyproject.toml -o requirements/run.txt; $$compile pyproject.toml --group dev -o requirements/test.txt

clean: ## Borrar lo generado (no toca el estado de .pipc ni la carpeta de descargas)
	@rm -rf .venv node_modules app/ui/static/dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
