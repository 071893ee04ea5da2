# make tour    set everything up in .venv and run the tour: autograd from the first derivative on
# make test    set everything up in .venv and run the tests
# make check   format, lint, strict types, layering, fast tests (what a change must pass)
# make clean   remove .venv and what tools left behind
#
# PYTHON=... picks the interpreter, VENV=... the folder of the environment.

VENV ?= .venv
PYTHON ?= $(shell for candidate in python3 python3.14 python3.13 python3.12 python3.11; do \
	if $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; \
	then echo $$candidate; break; fi; done)
BIN := $(VENV)/bin

.PHONY: tour test check clean
.DEFAULT_GOAL := tour

tour: $(VENV)/.installed-core
	$(BIN)/wengert tour

test: $(VENV)/.installed-test
	$(BIN)/python -m pytest -n auto --maxprocesses=8 --dist worksteal

check: $(VENV)/.installed-dev
	PYTHON=$(BIN)/python scripts/check

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

# Making an environment anew in an existing folder repairs one that was left half made.
$(VENV)/.installed-core: pyproject.toml
	$(if $(strip $(PYTHON)),,$(error wengert needs Python 3.11 or newer, and none was found. \
	Install one (Debian: apt install python3 python3-venv; macOS: brew install python), or say PYTHON=/path/to/python3))
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
	{ echo "$(PYTHON) cannot make environments. On Debian: apt install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.installed-%: $(VENV)/.installed-core pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@
