# Thin: every command here can be typed by hand.
PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt
# The neural extras come after torch, which the constraints pin to one version.
DEV := field,crawl,tokenizer,train,track,sweep,gguf,ctranslate2,serve,demo,postgres,scale,kaggle,gloss,frames,dev
export DVC_NO_ANALYTICS := 1

.PHONY: run test check fix bench bench-list clean system lock

run: .venv/.core ## the sample project, from raw files to a measured translator
	@$(BIN)/python projects/sample/generate.py
	@$(BIN)/seshat run --project projects/sample

test: .venv/.dev ## all tests, offline
	OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1 $(BIN)/pytest -n 2

system: ## Debian's Chromium, in which the web page is tested (needs root; without it those tests are skipped)
	@command -v chromium > /dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium > /dev/null; }

check: .venv/.dev ## ruff, mypy, and who may import whom (.importlinter)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

fix: .venv/.dev ## let ruff mend what it can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/.dev ## make bench NAME=alignment
	$(BIN)/python -m benchmarks run $(NAME)

bench-list: .venv/.dev ## what each benchmark compares
	$(BIN)/python -m benchmarks list

clean: ## forget what the sample project made
	rm -rf projects/sample/data projects/sample/models projects/sample/reports projects/sample/.seshat projects/sample/.dvc projects/sample/dvc.lock

.venv/.core: pyproject.toml constraints.txt
	@test -d .venv || $(PYTHON) -m venv .venv
	$(INSTALL) -e .
	@touch $@

.venv/.dev: .venv/.core
	$(INSTALL) torch==2.13.0
	$(INSTALL) -e '.[$(DEV)]'
	@touch $@

lock: ## the packages of constraints.txt with their hashes, torch left out, which differs by platform
	grep -v '^torch==' constraints.txt | uv pip compile --quiet --no-deps --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate --no-emit-index-url -o constraints.lock -
