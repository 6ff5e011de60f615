# Everything is installed by these: uv (by pip where absent), FFmpeg,
# Chromium for the tests, and what uv.lock names.

RUN = uv run --frozen --extra all

.PHONY: demo test test-long test-postgres docs fuzz audit

demo:
	. ./setup.sh && $(RUN) --group demo corpus demo

test:
	. ./setup.sh && cante_get_chromium && cante_get_postgres && $(RUN) --group dev sh tests/all.sh

test-long:
	. ./setup.sh && cante_get_chromium && $(RUN) --group dev pytest -m long

# The tests with a real Label Studio again, with PostgreSQL under that too.
test-postgres:
	. ./setup.sh && cante_get_chromium && cante_get_postgres && CANTE_POSTGRES=1 $(RUN) --group dev pytest tests/annotate

# Each parser under atheris, a minute each: what is found is in fuzz/found.
fuzz:
	. ./setup.sh && $(RUN) --group dev --group fuzz python fuzz/run.py

# Known holes of what uv.lock names; says so where no advisory service can be asked.
audit:
	. ./setup.sh && $(RUN) --group dev python tests/audit.py

docs:
	. ./setup.sh && $(RUN) --group dev mkdocs build --strict
