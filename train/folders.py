"""A folder that stands whole under its name, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from corpus import whole
from corpus.errors import TrainError

__all__ = ["making"]


@contextmanager
def making(target: Path) -> Iterator[Path]:
    """An empty folder beside `target` that takes its name when all went well, and goes when not.

    Raises TrainError when `target` is there already, or the file system refuses.
    """
    if target.exists():
        raise TrainError(f"{target} is there already: remove it or take another name")
    try:
        with whole.making(target) as scratch:
            if target.exists():
                raise TrainError(f"{target} was made meanwhile: it stays as it is")
            yield scratch
            for path in scratch.rglob("*"):
                path.chmod(0o755 if path.is_dir() else 0o644)  # safetensors leaves 0600
    except OSError as error:
        raise TrainError(whole.refusal(error, target)) from error
