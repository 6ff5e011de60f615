"""Two commands at once on one corpus end like one after the other, in one order or the other.

The first is stopped at a commit point, the second runs meanwhile; where it waits for the first,
that one goes on.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from tests.faults import child
from tests.faults.child import Fault
from tests.faults.points import Point
from tests.faults.scenes import Played
from tests.faults.state import leftovers, state, unlike

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc tells who stands still")

Command = tuple[str, ...]

_WAITS = 2.0
"""Seconds after which the second command is taken to wait for the first."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two commands in the world as it is when a scene begins; each comes to stand still once."""

    scene: str
    first: Command
    second: Command

    @property
    def name(self) -> str:
        """As pytest shows it."""
        return f"{self.first[0]} and {self.second[0]}"


_PURGE = ("purge", "--artist", "Paco", "--reason", "asked", "--yes")
_RELEASE = ("--min-tier", "bronze", "--train", "0.5", "--validation", "0", "--test", "0.5")
_V1 = ("release", "v1", *_RELEASE)

PAIRS = (
    Pair("collect", ("collect", "sources"), ("collect", "sources")),
    Pair("lyrics", ("lyrics", "letras"), ("lyrics", "letras")),
    Pair("draft", ("draft",), ("match",)),
    Pair("align", ("align",), ("match", "--again")),
    Pair("align", ("align",), ("align",)),
    Pair("align", ("align",), _PURGE),
    Pair("annotate import", ("annotate", "import", "back.json"), ("align",)),
    Pair("release", _V1, _V1),
    Pair("release", _V1, _PURGE),
    Pair("backup", ("backup", "copies"), _PURGE),
)


def after(scene: Played, *commands: Command) -> dict[str, Any]:
    """What commands leave, one after the other."""
    scene.set_up()
    for command in commands:
        child.run(scene.world, "-w", "cante", *command)
    return state(scene.world)


def ended(scene: Played, command: Command, said: child.Ended) -> None:
    """Where a command says that another one was in its way, it is run again."""
    assert "unexpected" not in said.err, said
    if said.code:
        assert said.code == 1, said
        child.run(scene.world, "-w", "cante", *command)


def at_once(scene: Played, pair: Pair, at: Point) -> bool:
    """Both at once, the first stopped at a point; False where it did not come there."""
    scene.set_up()
    stop = Fault(at=at, signal=signal.SIGSTOP)
    first = child.start(scene.world, "-w", "cante", *pair.first, fault=stop)
    if not first.stopped():
        # Of recordings that are taken in beside each other, either may make their folder.
        assert "mkdir" in at.what, (at, first.ended())
        return False
    second = child.start(scene.world, "-w", "cante", *pair.second)
    second.process.join(_WAITS)
    first.go_on()
    told = first.ended(), second.ended()
    for command, said in zip((pair.first, pair.second), told, strict=True):
        ended(scene, command, said)
    return True


def walk(scene: Played, pair: Pair, points: Sequence[Point]) -> None:
    """At each point the end is that of one order."""
    orders = (pair.first, pair.second), (pair.second, pair.first)
    either = [after(scene, *order) for order in orders]
    for at in points:
        if not at_once(scene, pair, at):
            continue
        found = state(scene.world)
        wrong = [unlike(found, wanted) for wanted in either]
        assert [] in wrong, (at, wrong)
        assert leftovers(scene.world) == [], at


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_two_at_once(scenes: dict[str, Played], pair: Pair) -> None:
    points = scenes[pair.scene].points
    walk(scenes[pair.scene], pair, [points[n] for n in (0, 1, 4, 9, 18) if n < len(points)])


@pytest.mark.long
@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_two_at_once_at_every_point(scenes: dict[str, Played], pair: Pair) -> None:
    walk(scenes[pair.scene], pair, scenes[pair.scene].points)
