"""The commit points of a command: each boundary at which something becomes lasting, both sides.

Database commits, files and folders that come into being, take another's place, go, or are brought
to the disk.  At one of them a process that is watched gets a signal: it is killed, stopped, or told
that somebody pressed Ctrl-C.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy.engine.default import DefaultDialect

__all__ = ["Point", "Watch", "numbered", "watch"]

_ONE, _TWO = ("fsync", "mkdir", "remove", "rmdir", "unlink"), ("link", "rename", "replace")
"""What is called with one path, and with two, of which the last one comes into being."""

_NAMES = re.compile(
    r"[0-9a-f]{8,}|(?<=/)[0-9a-f]{2}(?=/|$)|(?<=\.part-)[\w-]+|(?<=\.rows-)\w+|(?<=ing-)\w+"
)
"""What differs from run to run, or is too long to be read."""


class Point(NamedTuple):
    """A commit point: what is done there, and the how many-eth time (from 1).

    Not which one of all: of threads beside each other, now this one comes first and now that one.
    """

    what: str
    time: int


def numbered(told: Sequence[str]) -> list[Point]:
    """The points of a command that was watched."""
    times: Counter[str] = Counter()
    found = []
    for what in told:
        times[what] += 1
        found.append(Point(what, times[what]))
    return found


@dataclass(slots=True)
class Watch:
    """What a process is watched for: its points are told to the file `log`, a line each.

    Only files `below` a folder count.  `at` is the point at which it gets the signal.
    """

    log: Path
    below: Path
    at: Point | None = None
    signal: int = signal.SIGKILL
    seen: Counter[str] = field(default_factory=Counter)
    counting: threading.Lock = field(default_factory=threading.Lock)

    def reached(self, name: str) -> None:
        """Tell of a point; get the signal there, where that is asked for."""
        # Threads that come to one of the same name at once are told apart.
        with self.counting:
            self.seen[name] += 1
            time = self.seen[name]
        log = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(log, f"{name}\n".encode())
        os.close(log)
        if self.at == (name, time):
            os.kill(os.getpid(), self.signal)

    def name_of(self, thing: object) -> str:
        """A file by a name that is the same in every run; "" for one that does not count."""
        if isinstance(thing, int):
            with contextlib.suppress(OSError):
                thing = Path(f"/proc/self/fd/{thing}").readlink()
        if isinstance(thing, int):
            return "a file"
        path = Path(os.fsdecode(thing)).absolute()  # type: ignore[arg-type]  # a path in any form
        if not path.is_relative_to(self.below):
            return ""
        return _NAMES.sub("*", path.relative_to(self.below).as_posix())


def watch(told: Watch) -> None:
    """Watch this process from here on; there is no way back."""
    commit = _told(told, DefaultDialect.do_commit, lambda *_: "commit")
    DefaultDialect.do_commit = commit  # type: ignore[method-assign]  # every database goes by it
    for name in (*_ONE, *_TWO):
        at = 1 if name in _TWO else 0

        def called(*arguments: Any, at: int = at, name: str = name) -> str:
            what = told.name_of(arguments[at])
            return what and f"{name} {what}"

        setattr(os, name, _told(told, getattr(os, name), called))


def _told(told: Watch, call: Callable[..., Any], named: Callable[..., str]) -> Callable[..., Any]:
    @wraps(call)
    def run(*arguments: Any, **options: Any) -> Any:
        # A name within a folder that is open is one of many that go with it.
        what = "" if options.get("dir_fd") is not None else named(*arguments)
        if not what:
            return call(*arguments, **options)
        told.reached(f"before {what}")
        given = call(*arguments, **options)
        told.reached(f"after {what}")
        return given

    return run
