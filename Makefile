# Roost. `make demo` and `make test` set up a fresh machine by themselves; nothing is installed outside .venv.
PYTHON ?= python3
BIN := .venv/bin
GALLERY ?=
# Some images forbid Python to keep bytecode; then each of a thousand processes would compile all that it imports anew.
export PYTHONDONTWRITEBYTECODE =
COMPILE = $(BIN)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-emit-index-url \
	--no-emit-find-links --no-emit-trusted-host

# Tests of the command line, the tables and the sample gallery start what they need themselves, or need nothing.
NOT_OF_THE_API = cli db demo folder

.PHONY: setup demo serve test slow server soak check browser lock audit sbom clean

setup: .venv/.complete

# Made again when the lock or the project changes. Not compiled ahead: torch alone has ten thousand modules nobody uses.
.venv/.complete: requirements-dev.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing the locked dependencies into .venv (the first time this takes some minutes) ..."
	@$(BIN)/python -m pip install -qq --no-compile --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps -e .
	@touch $@

demo: setup  ## the main job on a sample gallery, or on GALLERY=folder
	@$(BIN)/roost demo $(if $(GALLERY),"$(GALLERY)")

serve: setup  ## the service on http://127.0.0.1:8080
	@$(BIN)/roost serve

# Processes share the processors: threads in each would only wait for the others'. Many wait for services and browsers.
test: setup check  ## everything that must hold
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 3 --dist worksteal

slow: setup  ## what takes too long for every change: hundreds of kills, whole jobs on other storage, backups under load
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -m slow

server: setup  ## the tests of the API and the page once more where every Roost has PostgreSQL, Redis and S3
	@ROOST_TEST_SETTING=server OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest \
		--numprocesses 3 --dist worksteal tests/app $(addprefix --ignore=tests/app/,$(NOT_OF_THE_API))

soak: setup  ## what takes hours: kills, outages, hostile input, generated requests; figures on standard output
	@$(BIN)/python -m benchmarks.soak.kills --count 600
	@$(BIN)/python -m benchmarks.soak.small_jobs --jobs 10000 --kills 200
	@$(BIN)/python -m benchmarks.soak.redis --times 20
	@$(BIN)/python -m benchmarks.soak.resumable
	@$(BIN)/python -m benchmarks.soak.hostile
	@$(BIN)/python -m benchmarks.soak.full_disk
	@$(BIN)/python -m benchmarks.soak.slow_clients
	@for target in header archive exif; do $(BIN)/python -m benchmarks.soak.fuzz $$target --minutes 20 || exit 1; done
	@ROOST_TEST_EXAMPLES=300 $(BIN)/python -m pytest -s --timeout 14400 tests/app/test_conformance.py

check: setup  ## format, lint, types, who imports whom
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports

# Needs root only where Debian's packages are the way; everywhere else Playwright's own Chromium goes into the user's cache.
browser: setup  ## a Chromium for the tests of the page, where there is none
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || \
	{ command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -yqq chromium >/dev/null; } || \
	$(BIN)/playwright install chromium

lock: setup  ## newest versions within pyproject's ranges
	@$(COMPILE) --upgrade --extra dev --output-file requirements-dev.lock pyproject.toml
	@$(COMPILE) --constraint requirements-dev.lock --extra s3 --extra otel --output-file requirements.lock pyproject.toml

# Strict: a package that nobody could look up counts as a failure, not as a clean one.
audit: setup  ## known weaknesses of the locked packages; needs the network
	@$(BIN)/pip-audit --progress-spinner off --disable-pip --require-hashes --strict -r requirements.lock

# The warning is about the graph of dependencies, which a list of locked packages does not have.
sbom: setup  ## the locked packages as CycloneDX, in dist/sbom.json
	@mkdir -p dist
	@PYTHONWARNINGS=ignore $(BIN)/cyclonedx-py requirements requirements.lock --pyproject pyproject.toml \
		--output-reproducible --output-format JSON --output-file dist/sbom.json
	@echo "dist/sbom.json"

clean:  ## throw away what setup and demo made
	rm -rf .venv roost-demo
