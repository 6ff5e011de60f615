"""transformers kept from writing to the terminal, where nobody asked it anything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["quiet"]


@contextmanager
def quiet() -> Iterator[None]:
    """Progress bars and warnings of transformers are off inside; errors are raised all the same.

    Its version 5 draws a bar whenever it reads or writes weights, and its Whisper
    warns of what it does itself in `generate`.
    """
    from transformers.utils import logging

    verbosity = logging.get_verbosity()
    bars = logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
