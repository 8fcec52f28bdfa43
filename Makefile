# Every target works again without a network once it has run.
PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
SHEET  ?= sheet.png
# The base has no torch. Of the builds of this version, pip takes the one that its package index offers: see
# CONTRIBUTING for the CPU and the CUDA build.
TORCH  ?= torch==2.13.0
# Of the package's extras, those that checks and tests install. `clients`, `llama` and `browser` add tests that are else left out.
EXTRAS ?= dev,train,torch
PIP     = $(BIN)/python -m pip --disable-pip-version-check

.PHONY: help demo start check format test test-fast docs vendor bench-text bench-serve bench-guard bench-fingerprints bench-images bench-web pictures sheet eval-apps bench-watermarks bench-pictures bench-picture-models clean

help:
	@echo "make demo     install, fetch the default model, answer, export, verify"
	@echo "make start    install, fetch the default models, serve"
	@echo "make sheet    install, draw 48 fixed prompts with the picture model into $(SHEET)"
	@echo "make test     install what the tests need and run them"
	@echo "make check    format, lint, types, layers, sizes"
	@echo "make docs     build the documentation into site/"
	@echo "make vendor   fetch the studio's browser libraries again and compare them"
	@echo "make bench-text | bench-serve | bench-guard | bench-fingerprints | bench-watermarks | bench-images | bench-pictures PICTURES=FOLDER | bench-picture-models | bench-web   measure, and write the tables"

$(VENV)/base.stamp: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --editable .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/base.stamp
	$(PIP) install --quiet $(TORCH)
	$(PIP) install --quiet --editable '.[$(EXTRAS)]'
	@touch $@

$(VENV)/bench.stamp: $(VENV)/dev.stamp
	$(PIP) install --quiet --editable '.[$(EXTRAS),llama]'
	@touch $@

demo: $(VENV)/base.stamp
	@PATH="$(abspath $(BIN)):$$PATH" sh examples/demo.sh

# A model that cannot be fetched now can be fetched later; the server says which are here.
start: $(VENV)/base.stamp
	-@for model in default embedding picture upscaler open-nsfw; do $(BIN)/inkseal models pull $$model; done
	@exec $(BIN)/inkseal serve $(SERVE)

# Without torch; MORE holds options, such as --size 256 --seed 2.
sheet: $(VENV)/base.stamp
	@for model in picture embedding upscaler; do $(BIN)/inkseal models pull $$model || exit 1; done
	$(BIN)/python benchmarks/picture_sheet.py --out $(SHEET) $(MORE)

check: $(VENV)/dev.stamp
	$(BIN)/ruff format --check src tests benchmarks
	$(BIN)/ruff check src tests benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tests/sizes.py
	$(BIN)/python tests/vendor.py --check
	$(BIN)/python docs/generate.py --check

format: $(VENV)/dev.stamp
	$(BIN)/ruff format src tests benchmarks
	$(BIN)/ruff check --fix src tests benchmarks

test: $(VENV)/dev.stamp
	$(BIN)/python -m pytest

test-fast: $(VENV)/dev.stamp
	$(BIN)/python -m pytest -m "not slow"

docs: $(VENV)/dev.stamp
	$(BIN)/python docs/generate.py
	$(BIN)/mkdocs build --strict --quiet

vendor: $(VENV)/base.stamp
	$(BIN)/python tests/vendor.py

bench-text: $(VENV)/bench.stamp
	$(BIN)/python benchmarks/text.py --write

bench-serve: $(VENV)/bench.stamp
	$(BIN)/python benchmarks/serve.py --write

bench-guard: $(VENV)/bench.stamp
	$(BIN)/python benchmarks/guard.py --write

bench-fingerprints: $(VENV)/bench.stamp
	$(BIN)/python benchmarks/fingerprints.py --write

bench-pictures: $(VENV)/bench.stamp
	$(BIN)/python benchmarks/image_fingerprints.py $(PICTURES) --write
	$(BIN)/python benchmarks/image_safety.py $(PICTURES) --write

bench-watermarks: $(VENV)/bench.stamp
	$(BIN)/python benchmarks/watermarks.py --collect all --seconds 36000
	$(BIN)/python benchmarks/watermarks.py --alarms
	$(BIN)/python benchmarks/watermarks.py --write

# Needs a published picture model, the embedding and the upscaler in the data folder.
bench-images: $(VENV)/dev.stamp
	$(BIN)/python benchmarks/images.py --write

# Needs the picture model, the runs to compare with, their dataset and open-nsfw in the data folder.
bench-picture-models: $(VENV)/dev.stamp
	$(BIN)/python benchmarks/picture_models.py --write

bench-web: $(VENV)/dev.stamp
	$(PIP) install --quiet --editable '.[$(EXTRAS),browser]'
	$(BIN)/python benchmarks/web.py --write

pictures: $(VENV)/dev.stamp
	$(PIP) install --quiet --editable '.[$(EXTRAS),browser]'
	$(BIN)/python docs/pictures.py

# MODEL names the model; it goes on where it was stopped. MORE holds options, such as --app poem --minutes 30.
eval-apps: $(VENV)/base.stamp
	$(BIN)/python benchmarks/apps.py --model $(or $(MODEL),default) --write $(MORE)

clean:
	rm -rf $(VENV) site .mypy_cache .ruff_cache .pytest_cache .hypothesis
