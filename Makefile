# Everything a person or CI does, from a fresh clone on. `make help` lists it.

PYTHON ?= python3
VENV   ?= .venv
WORKERS ?= 2
ARGS   ?=
# What pip is asked for as torch. Empty: a CPU build of this version. A CUDA build, for example:
#   make install TORCH="torch==2.13.0 --index-url https://download.pytorch.org/whl/cu130"
TORCH  ?=
TORCH_VERSION := 2.13.0
TORCH_CPU_INDEX := https://download.pytorch.org/whl/cpu

# Two spinning OpenMP threads on a busy two-core machine are many times slower than one.
export OMP_NUM_THREADS ?= 1
export OMP_WAIT_POLICY ?= PASSIVE
export PIP_DISABLE_PIP_VERSION_CHECK := 1

RUN := $(VENV)/bin/python
PIP := $(RUN) -m pip install -qq
VENV_STAMP := $(VENV)/.made-with-torch
CORE_STAMP := $(VENV)/.installed
TEST_STAMP := $(VENV)/.installed-test

# A virtual environment that was copied or moved here still points at its old place: install into it again.
ifneq ($(shell cat $(VENV_STAMP) 2>/dev/null),$(CURDIR))
.PHONY: $(VENV_STAMP)
endif

TORTURE := $(sort $(wildcard benchmarks/torture_*.py))

.DEFAULT_GOAL := help
.PHONY: help install install-test test check lint types pytest test-slow test-browser test-engines demo bench torture soak clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' Makefile

install: $(CORE_STAMP)  ## .venv with a CPU build of torch and the core packages (TORCH=... for another build)

install-test: $(TEST_STAMP)  ## the same, with what the tests need

test: lint types pytest  ## lint, types and the fast tests (installs what they need)

check: test  ## what CI runs

lint: $(TEST_STAMP)  ## ruff
	$(RUN) -m ruff check .

types: $(TEST_STAMP)  ## mypy on the packages
	$(RUN) -m mypy

pytest: $(TEST_STAMP)  ## the fast tests alone (ARGS="tests/test_layers.py -x")
	$(RUN) -m pytest -n $(WORKERS) $(ARGS)

test-slow: $(TEST_STAMP)  ## the learning tests: minutes to hours
	$(RUN) -m pytest -m slow -n $(WORKERS) --timeout 14400 $(ARGS)

test-browser: $(TEST_STAMP)  ## the dashboard and a report in a real browser (Debian's chromium and chromium-driver)
	$(RUN) -m pytest -q -m engines --timeout 300 tests/experiment_utils/dashboard tests/experiment_utils/report $(ARGS)

test-engines: $(TEST_STAMP)  ## sweeps on a real Ray, Slurm, sshd, S3 server, pages in a browser (slurm-wlm, munge, openssh-server, ...)
	@status=0; for file in $$(grep -rl 'mark\.engines' tests --include='test_*.py' | sort); do echo "== $$file"; \
	    $(RUN) -m pytest -q -m engines --timeout 1500 $$file $(ARGS) || status=1; done; exit $$status

demo: $(CORE_STAMP)  ## the main job: QRL on maze2d, offline then online, with its table, curves, maps, film and report
	$(RUN) run_scripts/qrl_maze.py --yes --exp_name demo $(ARGS)
	$(RUN) scripts/plot.py data/demo
	$(RUN) scripts/evaluate.py "$$(ls -td data/demo/*-s0 | head -n 1)" --num_episodes 100
	$(RUN) scripts/maps.py "$$(ls -td data/demo/*-s0 | head -n 1)"
	$(RUN) scripts/viz_hist.py --snapshot "$$(ls -td data/demo/*-s0 | head -n 1)" --policy
	$(RUN) scripts/report.py data/demo
	@echo "Look around: $(RUN) scripts/dashboard.py data/demo"

bench: $(CORE_STAMP)  ## every speed claim, measured
	@for script in $(filter-out $(TORTURE) benchmarks/soak.py,$(wildcard benchmarks/*.py)); do \
	    echo "== $$script"; $(RUN) $$script || exit 1; done

torture: $(TEST_STAMP)  ## kills, signals, full disks, damaged and hostile files, at their full counts: half an hour
	@for script in $(TORTURE); do echo "== $$script"; $(RUN) $$script || exit 1; done
	@for agent in ddpg td3 sac; do \
	    echo "== $$agent"; $(RUN) benchmarks/torture_resume.py --agent $$agent --kills 10 --signals 2 || exit 1; done
	$(RUN) -m pytest -q -m slow -n $(WORKERS) --timeout 3600 tests/experiment_configs/test_resume_contract.py

soak: $(CORE_STAMP)  ## an hour of training: does memory grow, do files stay open? (ARGS="--minutes 10")
	$(RUN) benchmarks/soak.py $(ARGS)

clean:  ## caches and build leftovers; keeps .venv, data and agent_data
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +

$(VENV_STAMP):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	    echo "lifelong_rl needs Python 3.11 or newer, but PYTHON=$(PYTHON) is: $$($(PYTHON) --version 2>&1). \
	Name another: make $(MAKECMDGOALS) PYTHON=python3.12" | tr -s ' ' >&2; exit 1; }
	@echo "Making $(VENV): torch ($(or $(TORCH),CPU build of $(TORCH_VERSION))) and the packages, a few minutes, once."
	@$(PYTHON) -m venv $(VENV)
ifneq ($(TORCH),)
	$(PIP) $(TORCH)
else ifeq ($(shell uname -s),Darwin)
	$(PIP) torch==$(TORCH_VERSION)
else
	@# Linux's default wheel brings gigabytes of CUDA: ask for the build named +cpu, where pip looks already, then at PyTorch's.
	@$(PIP) torch==$(TORCH_VERSION)+cpu 2>/dev/null \
	    || $(PIP) torch==$(TORCH_VERSION)+cpu --extra-index-url $(TORCH_CPU_INDEX) \
	    || { echo "No CPU build of torch $(TORCH_VERSION) for this Python could be installed (see above)." \
	              "Name a build: make $(MAKECMDGOALS) TORCH=\"torch==$(TORCH_VERSION)\"" >&2; exit 1; }
endif
	@echo "$(CURDIR)" > $@

$(CORE_STAMP): $(VENV_STAMP) pyproject.toml
	$(PIP) -e .
	@touch $@

$(TEST_STAMP): $(VENV_STAMP) pyproject.toml
	$(PIP) -e '.[test]'
	@touch $(CORE_STAMP) $@
