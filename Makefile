# Every command of the project. Needs make, a shell and a Python >= 3.11; all else is installed into .venv.
.DEFAULT_GOAL := help
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory

PY := .venv/bin/python
VENV := .venv/.stamp
VENDOR := .venv/vendor/.stamp
CODE := functions ingestor infra frontend_static
UV := 0.13.9
CHROMIUMS := chromium chromium-browser google-chrome google-chrome-stable
REFUSED := this project needs Python 3.11 or newer with its venv module: install one (Debian: apt-get install python3 python3-venv) and try again

export PYTHONPATH := functions:.
# Every command starts many processes, each of which would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE
# `make run SOURCE=simulator` reaches the program as a setting; its names are listed in functions/quant/settings.py.
export SYMBOLS SOURCE SPEED PORT EMULATOR EMULATOR_PORT STATE_DIR PREFIX FLUSH_SECONDS TICK_TTL_SECONDS BAR_1S_TTL_SECONDS
export BINANCE_WS_URL BINANCE_REST_URL COINBASE_WS_URL COINBASE_REST_URL SHARD LOG_LEVEL REAL_DATA_DIR
export PUBLIC_READ CORS_ORIGINS API_RATE_LIMIT API_BURST_LIMIT
export HEAL_MAX_SECONDS JOURNAL_MAX_BYTES STREAMS_PER_CONNECTION

.PHONY: help run stop status token test test-localstack check format bench chaos fuzz backfill repair query costs diagram site package validate deploy destroy audit lock clean chromium

help:  ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV) $(VENDOR) $(if $(filter localstack,$(EMULATOR)),.venv-localstack/.stamp)  ## Start everything on http://127.0.0.1:8000 (SOURCE=auto|binance|simulator|replay:FOLDER SPEED=10 SYMBOLS=… PORT=… EMULATOR=localstack)
	@exec $(PY) -m infra.local run

stop: $(VENV)  ## End a run and wait until its state is saved
	@exec $(PY) -m infra.local stop

status: $(VENV)  ## Say whether a run is active, and how it is
	@$(PY) -m infra.local status || [ $$? = 3 ]

token: $(VENV)  ## Print the token that the local API's writes need
	@$(PY) -m infra.local token

# Half of the tests' time is waiting, so that four processes suit two processors. Linear algebra takes one thread, as it
# does where it is deployed: threads that wait for a busy processor burn it.
test: export OPENBLAS_NUM_THREADS := 1
test: export OMP_NUM_THREADS := 1
test: $(VENV) $(VENDOR) chromium  ## Run all tests, WORKERS=4 at once; each skip is listed with its reason
	@$(PY) -m pytest -n $(or $(WORKERS),4) --dist loadscope --no-loadscope-reorder

test-localstack: $(VENV) .venv-localstack/.stamp  ## Install LocalStack from its lock and run all tests of it (LOCALSTACK_PYTHON=3.11: the older one)
	@$(PY) -m pytest tests/localstack

# LOCALSTACK_PYTHON=3.11 installs the older one where both could be.
.venv-localstack/.stamp: infra/localstack/requirements.lock infra/localstack/requirements-older.lock
	@$(PY) -m infra.localstack.install $(LOCALSTACK_PYTHON)
	@touch $@

check: $(VENV)  ## Lint, format and types
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy $(CODE)

format: $(VENV)  ## Format the code and mend what the linter can
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

bench: $(VENV) $(VENDOR)  ## Measure, print a table and write build/bench.json
	@$(MAKE) .venv-bench/.stamp || echo 'the peers of requirements-bench.lock could not be installed: their rows have no ratio'
	@$(PY) -m tests.benchmarks

fuzz: $(VENV) .venv-fuzz/.stamp  ## Send thousands of good and bad requests to a stack of its own: CASES=100 SEED=1
	@$(PY) -m tests.fuzz --cases $(or $(CASES),100) --seed $(or $(SEED),1)

.venv-fuzz/.stamp: requirements-fuzz.lock
	@echo 'installing the fuzzer into .venv-fuzz…'
	@[ -x .venv-fuzz/bin/python ] || $(PY) -m venv .venv-fuzz
	@.venv-fuzz/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-fuzz.lock
	@touch $@

.venv-bench/.stamp: requirements-bench.lock
	@echo 'installing the peers of benchmarks into .venv-bench…'
	@[ -x .venv-bench/bin/python ] || $(PY) -m venv .venv-bench
	@.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.lock
	@touch $@

chaos: $(VENV)  ## Break everything and count the trades: FAULTS=1000 SEED=7 SCENARIO=storm|twins|exchange_outage|storage_outage|restart|upgrade|resize
	@$(PY) -m tests.chaos $(or $(SCENARIO),storm) --faults $(or $(FAULTS),1000) --seed $(or $(SEED),7) $(if $(SECONDS),--seconds $(SECONDS))

backfill: $(VENV)  ## Fetch past trades again: SYMBOLS=… FROM=2026-11-22T10:00 TO=… (KIND=bars: the exchange's bars)
	@exec $(PY) -m infra.local tool ingestor.commands.backfill --from '$(FROM)' --to '$(TO)' --kind '$(or $(KIND),trades)' --symbols '$(SYMBOLS)'

repair: $(VENV)  ## Rebuild damaged chunks, of the active run or of AWS, from the archive or the exchange
	@exec $(PY) -m infra.local tool ingestor.repair

query: $(VENV)  ## Ask the archive in SQL: make query SQL="select count(*) from ticks"
	@exec $(PY) -m infra.local tool infra.query '$(subst ','\'',$(SQL))'

costs: $(VENV)  ## Print the monthly AWS bill, line by line: make costs LOAD="symbols=200 trades_per_second=10000"
	@$(PY) -m quant.costs $(LOAD)

diagram: $(VENV) chromium  ## Draw architecture.drawio, .svg and .png anew from infra/diagram
	@$(PY) -m infra.diagram

site: $(VENV)  ## Build the static site into build/site
	@$(PY) -m frontend_static.vendor
	@$(PY) -m frontend_static.build

package: $(VENV)  ## Build the thin Lambda packages of the local stack into build/packages
	@$(PY) -m infra.local package

validate: $(VENV) .venv-sam/.stamp  ## sam validate --lint, cfn-lint and sam build of all functions
	@PY=$(PY) UV=$(wildcard .venv/uv) sh infra/validate.sh

# `make deploy PREFIX=quant SYMBOLS=… SHARDS=2 PARAMETERS="AlarmEmail=me@example.com Tracing=Active" YES=1`
DEPLOY = --prefix '$(or $(PREFIX),quant)' $(if $(SYMBOLS),--symbols '$(SYMBOLS)') $(if $(SHARDS),--shards '$(SHARDS)') \
  $(foreach one,$(PARAMETERS),--parameter '$(one)') $(if $(YES),--yes) $(if $(wildcard .venv/uv),--uv .venv/uv)

deploy: $(VENV)  ## Build, deploy to AWS (or to AWS_ENDPOINT_URL), upload the site, ask whether it answers
	@$(PY) -m infra.deploy up $(DEPLOY)

destroy: $(VENV)  ## Delete what make deploy made; the data stays, but for DATA=delete
	@$(PY) -m infra.deploy down $(DEPLOY) $(if $(DATA),--data '$(DATA)')

audit: $(VENV) .venv-audit/.stamp  ## Ask for known weaknesses of what is deployed and developed with; says when it cannot
	@sh infra/audit.sh

.venv-audit/.stamp: requirements-audit.lock
	@[ -x .venv-audit/bin/python ] || $(PY) -m venv .venv-audit
	@if [ -x .venv/uv ]; then .venv/uv pip sync --quiet --python .venv-audit/bin/python --require-hashes $<; \
	else .venv-audit/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<; fi
	@touch $@

.venv-sam/.stamp: requirements-sam.lock
	@echo 'installing aws-sam-cli and cfn-lint into .venv-sam…'
	@[ -x .venv-sam/bin/python ] || $(PY) -m venv .venv-sam
	@if [ -x .venv/uv ]; then .venv/uv pip sync --quiet --python .venv-sam/bin/python --require-hashes requirements-sam.lock; \
	else .venv-sam/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-sam.lock; fi
	@touch $@

lock: $(VENV)  ## Resolve the dependencies of pyproject.toml into requirements.lock
	@.venv/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-header -o requirements.lock
	@.venv/uv pip compile --group bench --universal --python-version 3.11 --generate-hashes --no-header -o requirements-bench.lock
	@.venv/uv pip compile --group fuzz --universal --python-version 3.11 --generate-hashes --no-header -o requirements-fuzz.lock
	@for name in sam audit; do .venv/uv pip compile --quiet requirements-$$name.in --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate -o requirements-$$name.lock; done
	@.venv/uv pip compile --quiet infra/localstack/requirements.in --python-version 3.13 --exclude-newer 2026-03-31 --generate-hashes \
	  --no-header --no-annotate -o infra/localstack/requirements.lock
	@.venv/uv pip compile --quiet infra/localstack/requirements-older.in --python-version 3.11 --exclude-newer 2025-10-20 --generate-hashes \
	  --no-header --no-annotate -o infra/localstack/requirements-older.lock
	@.venv/uv pip compile --quiet ingestor/requirements.in -c requirements.lock --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -o ingestor/requirements.lock
	@for name in light analyse; do .venv/uv pip compile --quiet functions/pack/$$name.in -c requirements.lock --no-deps \
	  --python-version 3.13 --python-platform aarch64-manylinux_2_28 \
	  --generate-hashes --no-header --no-annotate -o functions/pack/$$name.lock; done

clean:  ## Delete what was built and the local state; .venv stays
	@if [ -x $(PY) ]; then $(PY) -m infra.local stop --quiet; fi
	@rm -rf build .local .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -path ./.venv -prune -o -name __pycache__ -type d -exec rm -rf {} +

# `uv pip sync` removes whatever the lock file does not name, uv's own package too: its program is kept beside it.
$(VENV): requirements.lock
	@for python in python3 python3.13 python3.12 python3.11; do \
	  if $$python -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then echo '$(REFUSED)' >&2; exit 2; fi; \
	echo "installing into .venv with $$($$found --version)…"; \
	[ -x $(PY) ] || $$found -m venv .venv || { echo '$(REFUSED)' >&2; exit 2; }; \
	if $(PY) -m pip install --quiet --disable-pip-version-check uv==$(UV); then \
	  cp .venv/bin/uv .venv/uv && .venv/uv pip sync --quiet --python $(PY) --require-hashes requirements.lock; \
	else \
	  echo 'uv cannot be installed here; pip does it instead, which takes longer'; \
	  $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock; \
	fi || { echo 'the packages of requirements.lock could not be installed; see the lines above' >&2; exit 1; }
	@touch $@

# Tried once per set-up, so that a machine without npm is told once; `make site` tries again.
$(VENDOR): frontend_static/vendor.py $(VENV)
	@$(PY) -m frontend_static.vendor
	@mkdir -p $(@D) && touch $@

# With a font as wide as Arial, since the picture's labels are laid out by its widths.
chromium:
	@for name in $(CHROMIUMS); do if command -v $$name >/dev/null; then found=1; fi; done; \
	[ -n "$$found" ] || missing=chromium; \
	fc-match Arial 2>/dev/null | grep -qiE 'arial|liberation' || missing="$$missing fonts-liberation"; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "installing for the browser tests and the picture: $$missing…"; \
	  install="apt-get install -y -qq --no-install-recommends $$missing"; \
	  { $$install || { apt-get update -qq && $$install; }; } >/dev/null 2>&1 && exit 0; \
	fi; \
	[ -n "$$found" ] || echo 'no Chromium was found and none could be installed: the browser tests will be skipped'
