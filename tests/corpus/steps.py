"""Steps for workers of any engine, which import them by name."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from corpus.errors import MediaError, ModelError
from corpus.run import Outcome
from tests.corpus.made import recording

__all__ = ["environment", "no_model", "prefix", "slow", "taking"]


def taking(folder: Path) -> Callable[[str], Outcome]:
    """Gives a recording of each name.  Each worker leaves a file in the folder.

    A file "kill NAME" there kills, once, the worker that is at that name; a name that
    begins with "poison" kills every one.
    """
    (folder / f"worker {os.getpid()}").touch()

    def take(name: str) -> Outcome:
        murder = folder / f"kill {name}"
        if murder.exists():
            murder.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        if name.startswith("poison"):
            os.kill(os.getpid(), signal.SIGKILL)
        if name.startswith("bad"):
            raise MediaError(f"{name} has no audio")
        if name.startswith("odd"):
            raise KeyError("one\ntwo")
        return Outcome(records=(recording(name),), note="noted" if name == "noted" else "")

    return take


def slow(folder: Path, seconds: float) -> Callable[[str], Outcome]:
    """The same, but each takes its time."""
    take = taking(folder)

    def take_slowly(name: str) -> Outcome:
        time.sleep(seconds)
        return take(name)

    return take_slowly


def no_model() -> Callable[[str], Outcome]:
    raise ModelError("the model is damaged: fetch it again")


def environment() -> Callable[[str], str]:
    return lambda name: os.environ.get(name, "")


def prefix() -> Callable[[str], str]:
    return lambda _: sys.prefix
