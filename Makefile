# Everything is installed by these: uv (by pip where absent), FFmpeg,
# Chromium for the tests, and what uv.lock names.

RUN = uv run --frozen --extra all

.PHONY: demo test test-long docs

demo:
	. ./setup.sh && $(RUN) --group demo corpus demo

test:
	. ./setup.sh && cante_get_chromium && $(RUN) --group dev sh tests/all.sh

test-long:
	. ./setup.sh && $(RUN) --group dev pytest -m long

docs:
	. ./setup.sh && $(RUN) --group dev mkdocs build --strict
