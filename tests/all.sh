#!/bin/sh
# Every check of the project: style, types, documentation, tests.
set -eu
ruff check .
ruff format --check .
mypy
NO_MKDOCS_2_WARNING=true mkdocs build --quiet --strict --site-dir "$(mktemp -d)"
python tests/audit.py
pytest -m "not long" "$@"
