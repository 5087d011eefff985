# Two commands do everything: `make demo` and `make test`.
.DEFAULT_GOAL := help
.PHONY: help demo test setup lint check-viewer unit system faults bench screenshots lock clean
PARK ?= demo-park
PORT ?= 5006
PY := .venv/bin/python
RUN := .venv/bin/parktwin

help: ## what there is to make
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: ## set up, build the sample park, serve it live on http://127.0.0.1:5006
	@tools/setup run
	@test -f $(PARK)/park.toml || $(RUN) demo $(PARK)
	@echo "▸ building the park; the live core is compiled meanwhile, once an installation"
	@nice $(PY) -m twin.live.warm & $(RUN) build $(PARK) && wait
	@echo "▸ serving it; the first start makes up some hours of past, 70 days of meters and a sample drill"
	@$(RUN) serve $(PARK) --demo --port $(PORT)

test: ## set up and run everything that must hold
	@tools/setup test
	@$(MAKE) --no-print-directory lint unit system

setup: ## set up for development
	@tools/setup test

lint: ## ruff, mypy, import-linter, TypeScript
	@echo "▸ ruff";          .venv/bin/ruff check .
	@echo "▸ mypy";          .venv/bin/mypy
	@echo "▸ import-linter"; .venv/bin/lint-imports
	@$(MAKE) --no-print-directory check-viewer

check-viewer:
	@echo "▸ tsc"; cd assets/viewer && PATH="$$PATH:$(CURDIR)/.venv/bin" npm run --silent check

unit: ## the fast tests
	@echo "▸ unit and contract tests"; $(PY) -m pytest tests/unit tests/contract -q

system: ## real servers, real browser, real models
	@echo "▸ system tests"; $(PY) -m pytest tests/system -q

faults: ## broker, database, disk and pages failing at full size (R1 to R17), beside their targets; an hour
	@tools/setup test
	@PARKTWIN_FAULTS=full $(PY) -m pytest -q tests/system/test_r[0-9]*.py tests/system/test_mqtt_broker.py -k "test_r"

bench: ## time the spine beside its peers
	@tools/setup test
	@$(RUN) bench spine

screenshots: ## take docs/images from the running product
	@tools/setup test
	@$(PY) -m tools.screenshots

lock: ## resolve the locked dependencies again
	@tools/lock

clean: ## remove what was built here (the sample park too)
	rm -rf .venv demo-park assets/viewer/dist assets/viewer/node_modules
