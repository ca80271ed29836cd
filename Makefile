# What each target does: make help

PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; done)
JOBS ?= 2
SOURCES := pyproject.toml $(shell find src/spoticell -type f -not -name '*.pyc')
CELLS := demo/source/scanpy/datasets/10x_pbmc68k_reduced.h5ad
DEV := .venv-test/bin/python
DATA = $(or $(SPOTICELL_DATA),../shared/data)

.PHONY: help demo test slow coverage lint docs engine page model bench peers ablation pictures pipelines clean

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

demo: .venv/installed $(CELLS) ## install the core into .venv and name the 700 blood cells that scanpy carries
	@.venv/bin/python scripts/demo.py $(CELLS) demo

test: .venv-test/installed ## install what tests need into .venv-test and run them, but for the slow ones
	@bash scripts/test.sh $(DEV) $(JOBS)

slow: .venv-test/installed ## run the slow tests, which make test leaves out: ends at random moments, long trainings, much real data, the engine of the page alone in Chromium
	@bash scripts/test.sh $(DEV) $(JOBS) slow

coverage: .venv-test/installed ## run all tests, slow ones too, and count the lines they reach: at least 97% are to be
	@bash scripts/test.sh $(DEV) $(JOBS) coverage

lint: .venv-test/installed ## check style, types and layers
	@$(DEV) -m ruff check .
	@$(DEV) -m ruff format --check .
	@$(DEV) -m mypy
	@.venv-test/bin/lint-imports

docs: .venv-docs/installed ## build the docs as a site into docs/_build/html, to read in a browser, offline
	@.venv-docs/bin/python scripts/site.py

engine: .venv-test/installed ## build the engine of the page in the browser alone from browser/, and test it (needs node and npm)
	@cd browser && npm ci --silent && npm run --silent check && npm run --silent build
	@$(DEV) -m spoticell page -q -o browser/build/page
	@cd browser && npm test --silent

page: .venv-test/installed ## write the page as a folder of static files into page/: python -m http.server --directory page
	@$(DEV) -m spoticell page -o page

model: .venv-test/installed ## make the bundles human-v1 and human-v1-dual again (hours; needs the cells of SPOTICELL_DATA and actinn-jax)
	@$(DEV) -m pip install -qq actinn-jax==0.3.1
	@bash scripts/human_v1/make.sh "$(DATA)" $(DEV)

bench: .venv-test/installed ## measure accuracy and speed again (needs the cells of SPOTICELL_DATA)
	@$(DEV) -m benchmarks.accuracy.development_tests --data "$(DATA)" --bundles human-v1 human-v1-dual
	@$(DEV) -m benchmarks.speed.command_line

peers: .venv-test/installed ## train and score other methods beside Spoticell (two hours; needs SPOTICELL_DATA and what model leaves)
	@$(DEV) -m pip install -qq actinn-jax==0.3.1 'lightgbm>=4.6' 'celltypist>=1.7'
	@$(DEV) -m benchmarks.peers.compare --data "$(DATA)" --cells runs/human-v1/cells --bundles human-v1 human-v1-dual --save peers

ablation: .venv-test/installed ## train without each part of the model (over an hour; needs SPOTICELL_DATA and what model leaves)
	@$(DEV) -m benchmarks.accuracy.ablation --data "$(DATA)" --cells runs/human-v1/cells --panels runs/human-v1/panels \
		--output runs/ablation --save ablation

pictures: .venv-test/installed ## draw the docs' pictures of report, web page and plots again (needs Chromium and SPOTICELL_DATA)
	@$(DEV) scripts/pictures.py docs/images
	@SPOTICELL_DATA="$(DATA)" $(DEV) scripts/plot_pictures.py docs/images

pipelines: ## run and lint what lies in pipelines/, in environments of their own in .venv-pipelines
	@$(call needs_python)
	@bash scripts/pipelines_check.sh "$(PYTHON)" .venv-pipelines

clean: ## remove environments, caches and what demo wrote
	@rm -rf .venv .venv-test .venv-docs .venv-pipelines pipelines/galaxy/test-data demo dist docs/_build build page browser/build browser/node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

.venv/installed: $(SOURCES)
	@$(call needs_python)
	@echo "Installing Spoticell into .venv, without torch: about a minute ..."
	@"$(PYTHON)" -m venv .venv
	@.venv/bin/python -m pip install -qq .
	@touch $@

# Only the data file in scanpy's wheel is wanted, so its many dependencies stay out.
$(CELLS):
	@echo "Fetching the cells: scanpy's wheel, 2 MB ..."
	@.venv/bin/python -m pip install -qq --no-deps --no-compile --upgrade --target demo/source scanpy==1.11.5

.venv-test/installed: pyproject.toml requirements/test.txt
	@$(call needs_python)
	@echo "Installing Spoticell, torch and the tools for tests into .venv-test: a few minutes ..."
	@"$(PYTHON)" -m venv .venv-test
	@$(DEV) -m pip install -qq --upgrade 'pip>=25.1'
	@# most files of libraries are never loaded, so none is compiled before it is
	@$(DEV) -m pip install -qq --no-compile $$($(DEV) scripts/torch_index.py) -c requirements/test.txt --group test --group lint -e '.[train,search,lance,web,census,remote]'
	@# some of its files warn when they are compiled, which a test that did it would take for an error
	@$(DEV) -W ignore -c 'import sknetwork'
	@touch $@

.venv-docs/installed: pyproject.toml requirements/docs.txt
	@$(call needs_python)
	@echo "Installing Spoticell and Sphinx into .venv-docs: about a minute ..."
	@"$(PYTHON)" -m venv .venv-docs
	@.venv-docs/bin/python -m pip install -qq --upgrade 'pip>=25.1'
	@.venv-docs/bin/python -m pip install -qq -c requirements/docs.txt --group docs -e .
	@touch $@

define needs_python
"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo "Python 3.11 or later is needed; give its path: make PYTHON=/path/to/python"; exit 1; }
endef
