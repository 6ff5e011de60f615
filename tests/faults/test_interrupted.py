"""Ctrl-C: a command ends at once, with one line and 130, and the same command carries on."""

from __future__ import annotations

import hashlib
import os
import signal
import time
from pathlib import Path

import pytest

from tests.faults.child import Ended, Fault
from tests.faults.scenes import NAMES, Played, brief
from tests.faults.state import leftovers, state, unlike
from tests.faults.toys import ToyDrafter

AT_ONCE = 10.0
"""Seconds; a second is meant, on a machine that does nothing else."""


def interrupted(ended: Ended) -> None:
    """One line, and no word of what is no fault."""
    assert ended.code == 130, ended
    assert ended.err.splitlines()[-1].startswith("corpus: interrupted: what was done is kept")
    assert ended.err.count("interrupted") == 1
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("name", brief(NAMES))
def test_at_a_commit_point(scenes: dict[str, Played], name: str) -> None:
    scene = scenes[name]
    scene.set_up()
    # Which thread makes a folder is not always the same one: no point that every run comes to.
    points = [point for point in scene.points if "mkdir" not in point.what]
    interrupted(scene.run(Fault(at=points[len(points) // 2], signal=signal.SIGINT)))
    # Nobody waits for the other threads of `collect`: what they were at goes when it is done anew.
    if name != "collect":
        assert leftovers(scene.world) == [], "who ends in time clears away"
    ended = scene.run()
    assert unlike(state(scene.world), scene.after) == [], ended
    assert leftovers(scene.world) == []


def deaf() -> None:
    """A model that is within its library for a quarter of an hour."""

    def transcribe(*_: object) -> bytes:
        Path("begun").touch()
        return hashlib.pbkdf2_hmac("sha256", b"", b"", 2_000_000_000)

    ToyDrafter.transcribe = transcribe  # type: ignore[assignment, method-assign]  # that never comes back


def test_within_a_library_that_does_not_hear_of_it(scenes: dict[str, Played]) -> None:
    scene = scenes["draft"]
    scene.set_up()
    running = scene.start(Fault(lay=deaf))
    while not (scene.world / "begun").exists():
        time.sleep(0.01)
    assert running.process.pid is not None
    os.kill(running.process.pid, signal.SIGINT)
    pressed = time.monotonic()
    interrupted(running.ended())
    assert time.monotonic() - pressed < AT_ONCE
    (scene.world / "begun").unlink()
    assert scene.run().code == 0
    assert unlike(state(scene.world), scene.after) == []
