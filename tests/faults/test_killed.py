"""Killed by SIGKILL at any commit point of any command, the same command carries on."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator, Sequence

import pytest

from tests.faults.child import Fault
from tests.faults.points import Point
from tests.faults.scenes import NAMES, Played
from tests.faults.state import leftovers, state, unlike


def killed_at(scene: Played, at: Point) -> Iterator[str]:
    """Kill a command at a point and run it again; what is wrong then."""
    kill(scene, at)
    ended = scene.run()
    yield from (f"other: {name}" for name in unlike(state(scene.world), scene.after))
    yield from (f"left over: {name}" for name in leftovers(scene.world))
    if ended.code:
        kill(scene, at)
        # Who was killed when all was done is told that it is done, or that nothing is left to do.
        if unlike(state(scene.world), scene.after):
            yield f"ended with {ended.code}: {ended.err}"


def kill(scene: Played, at: Point) -> None:
    """Begin the scene, up to a point."""
    scene.set_up()
    killed = scene.run(Fault(at=at))
    # Of recordings that are taken in beside each other, either may make their folder.
    assert killed.code == -signal.SIGKILL or ("mkdir" in at.what and at not in killed.points), (
        at,
        killed,
    )


def walk(scene: Played, points: Sequence[Point]) -> None:
    """Kill at each of some points."""
    wrong = [f"{at}: {says}" for at in points for says in killed_at(scene, at)]
    assert not wrong, "\n".join(wrong)


_LASTING = re.compile(r"(before|after) (commit|rename|replace|unlink)|after mkdir")


def telling(points: Sequence[Point]) -> list[Point]:
    """Of each kind of lasting change, the first time before it, and the last time after it."""
    found: dict[str, Point] = {}
    for point in points:
        if (kind := _LASTING.match(point.what)) is None:
            continue
        if kind[0].startswith("after") or kind[0] not in found:
            found[kind[0]] = point
    return list(found.values())


@pytest.mark.parametrize("name", NAMES)
def test_killed_at_telling_points(scenes: dict[str, Played], name: str) -> None:
    points = telling(scenes[name].points)
    assert points
    walk(scenes[name], points)


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_killed_at_every_point(scenes: dict[str, Played], name: str) -> None:
    walk(scenes[name], scenes[name].points)
