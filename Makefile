# Everything a newcomer needs: `make run`, `make test`. The rest is for those who change the code.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
AZURITE := rehearsal/node_modules/.installed
PIP := $(BIN)/pip --disable-pip-version-check --quiet install --no-compile
PROFILE ?= current
DEPLOY_PYTHON_VERSION ?= 3.11
PACKAGE_ZIP := dist/b2b-conversion.zip
PACKAGED := $(filter 1 yes true,$(PACKAGE))
# More workers than cores: most of a test's time is waiting. Each has an Azurite of its own.
WORKERS ?= 3

.DEFAULT_GOAL := help
.PHONY: help run package cold-start test unit simulate bench bench-sweep bench-campaigns faults guards soak campaign storage tenant check reference snapshots format lock clean

help: ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

run: $(INSTALLED) $(AZURITE) $(if $(PACKAGED),package) ## a campaign on the sample tenant; LIST=my.csv takes your own list (ADDRESS_COLUMN=HEADER, CHARSET=windows-1252, JUDGE_ONLY=1), KEEP=1 leaves it up, PROFILE=2020 takes the old rules, PACKAGE=1 runs what is deployed, BELIEFS=FILE what the probe saw
	@$(BIN)/python -m rehearsal run --profile $(PROFILE) $(if $(LIST),--list "$(LIST)" $(if $(CHARSET),--charset $(CHARSET)) $(if $(ADDRESS_COLUMN),--address-column "$(ADDRESS_COLUMN)") $(if $(filter 1 yes true,$(JUDGE_ONLY)),--judge-only)) $(if $(BELIEFS),--beliefs "$(BELIEFS)") $(if $(filter 1 yes true,$(KEEP)),--keep) $(if $(PACKAGED),--package $(PACKAGE_ZIP))

package: ## build what is deployed, for DEPLOY_PYTHON_VERSION=3.11: needs that Python with pip, on Linux x86-64
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=")'
	@$(PYTHON) -m infra.package --python $(DEPLOY_PYTHON_VERSION) $(ARGS)

cold-start: $(INSTALLED) $(AZURITE) package ## what a start costs from the package, against bare imports of the same SDKs
	@$(BIN)/python -m rehearsal.cold_start $(PACKAGE_ZIP)

test: $(INSTALLED) $(AZURITE) ## every test; ARGS=… goes to pytest
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal $(ARGS)

unit: $(INSTALLED) ## unit tests and a thousand simulated histories at once: no Azurite, no Node, half a minute
	@$(BIN)/python -m pytest -q -n 0 tests/unit -k "not powershell" & tests=$$!; \
		$(BIN)/python -m tests.simulation --profile requests --count 1000 --seed 0; histories=$$?; \
		wait $$tests && exit $$histories

simulate: $(INSTALLED) ## search simulated histories for a broken promise; ARGS="--seconds 600 --seed N", "--replay N", "--worlds"
	@$(BIN)/python -m tests.simulation $(ARGS)

bench: $(INSTALLED) $(AZURITE) ## figures beside those of rivals, into docs/benchmarks.md; three quarters of an hour; ONLY=c takes one part, ARGS=--help
	@$(BIN)/python -m tests.bench $(if $(ONLY),--only $(ONLY)) $(ARGS)

bench-sweep: $(INSTALLED) ## what a sweep costs on a ledger of 100,000 rows, call by call; two minutes; ARGS=--small
	@$(BIN)/python -m tests.simulation.bench_sweep $(ARGS)

bench-campaigns: $(INSTALLED) $(AZURITE) ## a list of 10,000 rows in one call, then killed in the middle and sent again; time and memory; three minutes
	@$(BIN)/python -m tests.adapters.bench_campaigns

faults: $(INSTALLED) $(AZURITE) ## every fault at every outgoing call, before and after its effect (a spread of them is in `make test`)
	@FAULTS=all $(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal tests/faults $(ARGS)

guards: $(INSTALLED) $(AZURITE) ## take out each guard, and what mends each story, and show that a test fails; ARGS='--only address' takes some
	@$(BIN)/python -m tests.faults.guards $(ARGS)

soak: $(INSTALLED) $(AZURITE) ## two hosts, one killed every few seconds, a tenant in trouble; ten minutes at most; ARGS=--help
	@$(BIN)/python -m rehearsal.soak $(ARGS)

campaign: $(INSTALLED) $(AZURITE) ## 10,000 people judged and 3,000 released with Graph's limits on; twenty minutes; ARGS=--help
	@$(BIN)/python -m rehearsal.campaign $(ARGS)

storage: $(INSTALLED) $(AZURITE) ## Azurite on its usual ports with our queues and tables, for `func start`
	@$(BIN)/python -m rehearsal.storage

tenant: $(INSTALLED) ## the sample tenant on port 8400, for `func start`
	@$(BIN)/python -m rehearsal.tenant --port 8400

check: $(INSTALLED) ## lint, format, types, import contracts, and whether generated files are up to date
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m reference --check

reference: $(INSTALLED) ## write docs/reference, and the lists in infra, from the tables in b2b
	@$(BIN)/python -m reference

snapshots: $(INSTALLED) ## predict anew what the templates would deploy (needs a Bicep CLI)
	@$(BIN)/python -m tests.infra.bicep

format: $(INSTALLED) ## put the code into its format
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

lock: ## pin requirements*.txt anew from requirements*.in (needs uv)
	uv pip compile --universal --python-version 3.11 --quiet --no-header --generate-hashes requirements.in -o requirements.txt
	uv pip compile --universal --python-version 3.11 --quiet --no-header -c requirements.txt requirements-dev.in -o requirements-dev.txt
	uv pip compile --universal --python-version 3.11 --quiet --no-header -c requirements-dev.txt probe/requirements.in -o probe/requirements.txt

clean: ## remove what was installed and what runs left behind
	rm -rf $(VENV) dist rehearsal/node_modules .rehearsal .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(INSTALLED): requirements-dev.txt requirements-host.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=")'
	@echo "installing the Python packages into $(VENV) (a minute or two)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) -r requirements-dev.txt
	@# Microsoft's runtime library asks for 3.13 on paper and runs on 3.11: see requirements-host.txt
	@$(PIP) --no-deps --ignore-requires-python -r requirements-host.txt
	@touch $@

$(AZURITE): rehearsal/package.json rehearsal/package-lock.json
	@command -v npm >/dev/null || { echo "Node.js with npm is needed for Azurite, the storage emulator"; exit 1; }
	@echo "installing Azurite into rehearsal/node_modules"
	@npm ci --prefix rehearsal --no-audit --no-fund --loglevel=error
	@touch $@
