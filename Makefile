.DEFAULT_GOAL := help
SHELL := /bin/bash
.PHONY: help demo demo-day test setup lint format typecheck docs build-changed mutate bench synth sources-up sources-down redshift-up redshift-down clean

help:  ## Lists these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo:  ## The whole pipeline, from a fresh clone: sample company to published star schema. Again: only what changed
	@demo/run.sh

demo-day:  ## One deterministic day of changes at the sample company
	@demo/day.sh

test:  ## All tests, from a fresh clone; ONLY=extract|load|redshift|model|trust|demo|aws runs one part
	@tests/run.sh $(ONLY)

setup:  ## Installs the pipeline into .venv, from the hashed locks
	@requirements/setup.sh pipeline

lint: .dev  ## Python by ruff, SQL by sqlfluff
	@.venv/bin/ruff check . && .venv/bin/ruff format --check .
	@.venv/bin/sqlfluff lint --disable-progress-bar transform
	@transform/lint_compiled.sh

format: .dev  ## Puts Python and SQL into the house style
	@.venv/bin/ruff check --fix . && .venv/bin/ruff format .
	@.venv/bin/sqlfluff fix --disable-progress-bar transform

typecheck: .dev  ## mypy, strict, over every package
	@.venv/bin/mypy
	@requirements/infra.sh && .venv/bin/mypy --python-executable .venv-infra/bin/python infra/app.py infra/smoke.py infra/costs.py infra/checks

docs: setup  ## Builds if need be, and writes the documentation to output/docs; SERVE=1 shows it to a browser of this machine
	@.venv/bin/watershed build
	@$(if $(SERVE),.venv/bin/watershed docs)

build-changed: setup  ## Builds the models you changed, and what reads them, beside the last good build; says what differs
	@.venv/bin/watershed build-changed

mutate: .dev  ## Takes each branch out of each model: does a unit test notice? ONLY="model ..." for some
	@PYTHONPATH=transform .venv/bin/python -m watershed_mutation $(ONLY)

bench:  ## Compares us with dlt, sling, Singer and the limit, hours; QUICK=1: minutes; GROWTH=1: ours to 8 million rows
	@bench/run.py $(if $(QUICK),--quick) $(if $(GROWTH),--growth)

synth: setup  ## Writes the CloudFormation templates of dev and prod to output/cdk, without account or network
	@requirements/infra.sh && infra/synth.sh

sources-up: setup  ## Starts the sample company's servers; the first time, fills them
	@demo/install.sh && .venv/bin/watershed-demo up

sources-down:  ## Stops them
	@.venv/bin/watershed-demo down

redshift-up: .dev  ## Starts the Redshift stand-in and its S3, and prints how to reach them
	@PYTHONPATH=tests .venv/bin/python -m redshift_standin up

redshift-down:  ## Stops them; S3's files go with it
	@PYTHONPATH=tests .venv/bin/python -m redshift_standin down

clean:  ## Stops the servers and deletes all that was generated or installed
	@demo/clean.sh

.PHONY: .dev
.dev:
	@requirements/setup.sh dev
