#!/bin/sh
# Every check of the project: style, types, documentation, tests.
set -eu
ruff check .
ruff format --check .
mypy
NO_MKDOCS_2_WARNING=true mkdocs build --quiet --strict --site-dir "$(mktemp -d)"
python tests/audit.py
# Two tests at a time: most wait for servers, browsers and databases half of theirs.
pytest -m "not long" -n 2 --dist worksteal "$@"
