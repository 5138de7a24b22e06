# Every target makes the virtual environment it needs; a bare Python with pip is enough.
PYTHON ?= python3
VENV ?= .venv
OLDEST_VENV ?= .venv-oldest
PYTEST_ARGS ?=
BENCH_ARGS ?=
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: help demo test test-oldest lint docs bench clean

help:
	@echo "make demo         stitch two encoders of the digits through every translator"
	@echo "make test         the test suite, on the pinned newest versions"
	@echo "make test-oldest  the test suite, on the oldest supported versions"
	@echo "make lint docs bench clean"

# An environment is up to date when its stamp is newer than what it was made from.
$(VENV)/.%: pyproject.toml constraints.txt
	@echo "setting up $(VENV) for '$*' ..."
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --constraint constraints.txt --editable '.[$*]'
	@touch $@

$(OLDEST_VENV)/.stamp: pyproject.toml constraints-oldest.txt
	@echo "setting up $(OLDEST_VENV) ..."
	@test -x $(OLDEST_VENV)/bin/python || $$(sh tools/oldest-python.sh) -m venv $(OLDEST_VENV)
	@$(OLDEST_VENV)/bin/python -m pip install --quiet --constraint constraints-oldest.txt \
		--requirement constraints-oldest.txt --editable .
	@touch $@

demo: $(VENV)/.plot
	@$(VENV)/bin/python examples/demo.py

test: $(VENV)/.test
	$(VENV)/bin/python -m pytest $(PYTEST_ARGS)

test-oldest: $(OLDEST_VENV)/.stamp
	$(OLDEST_VENV)/bin/python -m pytest $(PYTEST_ARGS)

lint: $(VENV)/.lint
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

docs: $(VENV)/.docs
	$(VENV)/bin/python -m sphinx -W --keep-going -b html docs docs/_build/html

# All take --quick; the other options are those of run.py, such as --only.
bench: $(VENV)/.bench
	$(VENV)/bin/python benchmarks/speed/run.py $(BENCH_ARGS)
	$(VENV)/bin/python benchmarks/speed/accuracy.py $(filter --quick,$(BENCH_ARGS))
	$(VENV)/bin/python benchmarks/speed/grid_search.py $(filter --quick,$(BENCH_ARGS))

clean:
	rm -rf $(VENV) $(OLDEST_VENV) docs/_build docs/auto_examples docs/generated output
