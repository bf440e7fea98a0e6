# make demo    the demo and a report of it, in an environment of its own in .venv (first call: minutes; later: seconds)
# make test    the whole test suite, with every library that it needs added to .venv
# make lint    format, lint and types
# make bench   our parts beside other ways to do the same; those that need models and data are run by hand (see --help)
# make clean   remove what these made, but neither .venv nor .harness: scored pairs are worth keeping

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALL := $(PIP) install --quiet --constraint constraints.txt

.PHONY: demo test lint bench clean
.DELETE_ON_ERROR:

demo: $(VENV)/.stamp-demo
	$(BIN)/harness demo --out demo-report
	$(BIN)/harness report 'packaged:*' --collection demo --out demo-report/report --format csv >/dev/null

test: $(VENV)/.stamp-test
	$(BIN)/python -m pytest $(PYTEST)

lint: $(VENV)/.stamp-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# The last two need models and collections: make bench MODELS=folder-of-models DATA=folder-of-BEIR-collections
bench: $(VENV)/.stamp-test
	$(BIN)/python benchmarks/measures.py --out benchmarks/results/measures.json
	$(BIN)/python benchmarks/trec_run.py --out benchmarks/results/trec_run.json
	$(BIN)/python benchmarks/bm25.py --out benchmarks/results/bm25.json
	$(BIN)/python benchmarks/ledger.py --out benchmarks/results/ledger.json
	$(BIN)/python benchmarks/search.py --out benchmarks/results/search.json
	$(BIN)/python benchmarks/suite_memory.py --out benchmarks/results/suite_memory.json
	$(BIN)/python benchmarks/stored_mutations.py --out benchmarks/results/stored_mutations.json
	$(BIN)/python benchmarks/gate.py --out benchmarks/results/gate.json
	$(BIN)/python benchmarks/families.py --out benchmarks/results/families.json
	$(BIN)/python benchmarks/sequential_gate.py --out benchmarks/results/sequential_gate.json
	$(BIN)/python benchmarks/sequential_headroom.py --out benchmarks/results/sequential_headroom.json
ifdef MODELS
	$(BIN)/python benchmarks/cross_encoder.py $(MODELS)/ms-marco-MiniLM-L12-v2* $(DATA)/scifact \
	  --out benchmarks/results/cross_encoder.json
	$(BIN)/python benchmarks/startup.py --model $(MODELS)/ms-marco-MiniLM-L12-v2* --out benchmarks/results/startup.json
	$(BIN)/python benchmarks/workers.py $(MODELS)/ms-marco-MiniLM-L12-v2* $(DATA)/scifact --out benchmarks/results/workers.json
	$(BIN)/python benchmarks/published.py $(MODELS)/all-MiniLM-L6-v2 $(DATA)/scifact $(DATA)/xquad/en \
	  --out benchmarks/results/published.json
endif

clean:
	rm -rf build dist demo-report .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find harness adapters training reports leaderboards benchmarks tests -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/.stamp-demo: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install --quiet pip==26.3
	$(INSTALL) --editable '.[demo,reports]'
	@touch $@

# torch is named alone and exactly, so that a mirror which has only that build of it serves it.
$(VENV)/.stamp-test: $(VENV)/.stamp-demo
	$(INSTALL) $$(grep '^torch==' constraints.txt)
	$(INSTALL) --editable '.[models,lora,bm25,onnx,demo,reports,train,cite,mteb,beir,irds]' --group dev
	@touch $@

$(BIN)/python:
	@for python in $(PYTHON) python3.11 python3 python3.12 python3.13; do \
	  if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	  then exec $$python -m venv $(VENV); fi; \
	done; \
	echo "make: Python 3.11 or newer is needed; name it: make PYTHON=/path/to/python3.11" >&2; exit 1
