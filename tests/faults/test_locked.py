"""Another process holds the store for longer than anybody waits."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

import corpus.database
from tests.faults import child
from tests.faults.child import Fault
from tests.faults.scenes import NAMES, Played, brief
from tests.faults.state import state, unlike


def impatient() -> None:
    """Nobody waits for half a minute here."""
    corpus.database._BUSY_S = 1


@pytest.mark.parametrize("name", brief(name for name in NAMES if name not in {"init", "restore"}))
def test_one_line_and_nothing_is_lost(scenes: dict[str, Played], name: str) -> None:
    scene = scenes[name]
    scene.set_up()
    writes = any("commit" in point.what for point in scene.points)
    with closing(sqlite3.connect(scene.world / "cante" / "corpus.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        ended = scene.run(Fault(lay=impatient))
        other.rollback()
    if writes:
        assert ended.code == 1
        (line,) = [one for one in ended.err.splitlines() if one.startswith("corpus: ")]
        assert "another command writes there; run again when it has ended" in line
        assert scene.run().code == 0
    else:
        assert ended.code == 0, ended
    assert unlike(state(scene.world), scene.after) == []


def test_reading_does_not_wait(scenes: dict[str, Played]) -> None:
    scene = scenes["release"]
    scene.set_up()
    with closing(sqlite3.connect(scene.world / "cante" / "corpus.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("DELETE FROM annotations")
        ran = child.run(scene.world, "-w", "cante", "status", fault=Fault(lay=impatient))
        other.rollback()
    assert (ran.code, ran.err) == (0, "")
