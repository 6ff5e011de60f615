"""What a corpus needs of its machine and of others, and whether it is there: a line each."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

__all__ = ["Check", "Finding", "State", "absent", "examined", "right", "wrong"]


class State(str, Enum):
    """How something is; what is absent is not needed by everybody."""

    RIGHT = "right"
    WRONG = "wrong"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was looked at, how it is, in words, and the command that mends it, "" where none is."""

    what: str
    state: State
    says: str
    mend: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Something to look at; after so many seconds it is said not to answer.

    `late` is what is to be done then.
    """

    what: str
    look: Callable[[], Sequence[Finding]]
    seconds: float
    late: str = ""


def right(what: str, says: str) -> Finding:
    """It is as it should be."""
    return Finding(what=what, state=State.RIGHT, says=says)


def wrong(what: str, says: str, mend: str = "") -> Finding:
    """It is there and does not work, or nothing works without it."""
    return Finding(what=what, state=State.WRONG, says=says, mend=mend)


def absent(what: str, says: str, mend: str = "") -> Finding:
    """It is not there, and only some need it."""
    return Finding(what=what, state=State.ABSENT, says=says, mend=mend)


def examined(checks: Sequence[Check]) -> list[Finding]:
    """What all checks find, in their order; they look beside each other, none for too long."""
    began = time.monotonic()
    running = [_Looking(check) for check in checks]
    return [finding for one in running for finding in one.found(began)]


class _Looking:
    """A check on its way, in a thread that nobody waits for when it is stuck.

    Asking for the address of a server cannot be given up on otherwise.
    """

    def __init__(self, check: Check) -> None:
        self._check = check
        self._found: Sequence[Finding] | None = None
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        try:
            self._found = self._check.look()
        except Exception as error:  # noqa: BLE001  # nobody else would hear of it in a thread
            told = " ".join(f"{type(error).__name__}: {error}".split())
            self._found = (wrong(self._check.what, f"cannot be looked at: {told}"),)

    def found(self, began: float) -> Sequence[Finding]:
        """What it finds, or that there was no answer in its time."""
        check = self._check
        self._thread.join(max(0.0, began + check.seconds - time.monotonic()))
        late = absent(check.what, f"no answer in {check.seconds:.0f} s", check.late)
        return (late,) if self._found is None else self._found
