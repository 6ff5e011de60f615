"""A command in a process of its own that costs next to nothing: forked where all is imported."""

from __future__ import annotations

import multiprocessing
import os
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import cache
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

import corpus.run
from corpus.cli import main
from tests.faults import toys
from tests.faults.points import Point, Watch, numbered, watch

__all__ = ["NO_FAULT", "Ended", "Fault", "Running", "run", "start"]

_PATIENCE = 300
"""Seconds that a command may take, on a machine that does much else."""


def _nothing() -> None:
    """Lay no fault."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What befalls a command: a signal at a point, a clock that is fast.

    `lay` is done before it begins, in its process.
    """

    at: Point | None = None
    signal: int = signal.SIGKILL
    hours_fast: float = 0.0
    lay: Callable[[], None] = _nothing


NO_FAULT = Fault()


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: its code (-9: it was killed), what it said, and its points."""

    code: int
    out: str
    err: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Running:
    """A command that runs."""

    process: ForkServerProcess
    told: Path

    def ended(self) -> Ended:
        """Wait for its end."""
        self.process.join(_PATIENCE)
        assert self.process.exitcode is not None, "it does not end"
        out, err, points = (_text(self.told / name) for name in ("out", "err", "points"))
        return Ended(self.process.exitcode, out, err, tuple(numbered(points.splitlines())))

    def stopped(self) -> bool:
        """Wait until it stands still, or has ended; whether it stands still."""
        stat = Path(f"/proc/{self.process.pid}/stat")
        while self.process.is_alive():
            if stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "T":
                return True
            time.sleep(0.01)
        return False

    def go_on(self) -> None:
        """Let it go on."""
        assert self.process.pid is not None
        os.kill(self.process.pid, signal.SIGCONT)


def _text(path: Path) -> str:
    return path.read_text("utf-8", "replace") if path.exists() else ""


def run(world: Path, *arguments: str, fault: Fault = NO_FAULT) -> Ended:
    """Run a command in a folder to its end."""
    return start(world, *arguments, fault=fault).ended()


def start(world: Path, *arguments: str, fault: Fault = NO_FAULT) -> Running:
    """Begin a command in a folder."""
    told = Path(tempfile.mkdtemp(prefix="told-", dir=world.parent))
    process = _context().Process(target=_child, args=(world, told, arguments, fault))
    process.start()
    return Running(process, told)


@cache
def _context() -> ForkServerContext:
    """Where processes are forked from: a server with one thread, which has imported everything."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    os.environ["COLUMNS"] = "400"
    # The server looks for what it imports where any program does.
    os.environ["PYTHONPATH"] = str(Path(__file__).parents[2])
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", "tests.faults.warm"])
    return context


def _child(world: Path, told: Path, arguments: tuple[str, ...], fault: Fault) -> None:
    """The command, as it is run in a shell."""
    os.chdir(world)
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(told / name, os.O_WRONLY | os.O_CREAT), number)
    sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115  # to the end of the process
    sys.argv = ["corpus", *arguments]
    toys.listen_to_toys()
    _leave_nothing_to_chance(fault.hours_fast)
    fault.lay()
    watch(Watch(told / "points", world, fault.at, fault.signal))
    main()


class _Stopped(datetime):
    """A clock that stands still: what two runs leave is then the same, moments too."""

    fast = timedelta()

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> _Stopped:
        return cls(2026, 3, 1, 12, tzinfo=tz) + cls.fast


def _leave_nothing_to_chance(hours_fast: float) -> None:
    """Two runs leave the same: moments and secrets too."""
    _Stopped.fast = timedelta(hours=hours_fast)
    vars(corpus.run)["datetime"] = _Stopped  # the only clock of what is kept
    secrets.token_bytes = bytes  # type: ignore[assignment]  # so many zeros
    corpus.run.n_cores = lambda: 1  # as few workers as there may be
