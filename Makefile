# Roost. `make demo` and `make test` set up a fresh machine by themselves; nothing is installed outside .venv.
PYTHON ?= python3
BIN := .venv/bin
GALLERY ?=

.PHONY: setup demo serve test check lock clean

setup: .venv/.complete

# Made again when the lock or the project changes. The virtual environment is complete or absent.
.venv/.complete: requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing the locked dependencies into .venv (the first time this takes some minutes) ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps -e .
	@touch $@

demo: setup  ## the main job on a sample gallery, or on GALLERY=folder
	@$(BIN)/roost demo $(if $(GALLERY),"$(GALLERY)")

serve: setup  ## the service on http://127.0.0.1:8080
	@$(BIN)/roost serve

test: setup check  ## everything that must hold
	@$(BIN)/python -m pytest

check: setup  ## format, lint, types, who imports whom
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports

lock: setup  ## newest versions within pyproject's ranges
	@$(BIN)/pip-compile --quiet --upgrade --generate-hashes --extra dev --strip-extras --allow-unsafe --no-emit-index-url \
		--no-emit-find-links --no-emit-trusted-host --output-file requirements.lock pyproject.toml

clean:  ## throw away what setup and demo made
	rm -rf .venv roost-demo
