"""A disk without room, and one that may not be written: a line, and nothing is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.child import Ended
from tests.faults.scenes import NAMES, Played, brief
from tests.faults.state import leftovers, state, unlike

ROOM = 256 << 20
PAGE = 4096


def mounted(world: Path, *options: str) -> bool:
    """Mount a disk of memory where the world is, or change it; False where one may not."""
    command = ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(world)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.fixture
def disk(scenes: dict[str, Played]) -> Iterator[Path]:
    """A disk of its own for the world; whoever may not mount one passes this test over."""
    world = next(iter(scenes.values())).world
    world.mkdir(exist_ok=True)
    if sys.platform != "linux" or os.geteuid() or not mounted(world, f"size={ROOM}"):
        pytest.skip("no disk can be mounted here")
    yield world
    subprocess.run(["umount", str(world)], check=True)


def told(ended: Ended) -> None:
    """Each line says what is wrong, and none of them was not expected."""
    assert ended.code == 1, ended
    assert ended.err.strip(), ended
    assert "unexpected" not in ended.err, ended
    assert "Traceback" not in ended.err, ended


def used(world: Path) -> int:
    return ROOM - os.statvfs(world).f_bavail * PAGE


@pytest.mark.parametrize("name", brief(NAMES))
def test_no_room(scenes: dict[str, Played], disk: Path, name: str) -> None:
    scene = scenes[name]
    for free in (0, 6, 24, 96):
        scene.set_up()
        assert mounted(disk, "remount", f"size={used(disk) + free * PAGE}")
        ended = scene.run()
        if ended.code != 0:
            told(ended)
            assert "room" in ended.err, ended
        assert mounted(disk, "remount", f"size={ROOM}")
        if ended.code != 0:
            assert scene.run().code == 0
        assert unlike(state(disk), scene.after) == []
        assert leftovers(disk) == []


@pytest.mark.parametrize("name", brief(NAMES))
def test_a_disk_that_is_only_read(scenes: dict[str, Played], disk: Path, name: str) -> None:
    scene = scenes[name]
    scene.set_up()
    before = state(disk)
    assert mounted(disk, "remount", "ro")
    ended = scene.run()
    told(ended)
    assert len(ended.err.splitlines()) == 1, ended
    assert mounted(disk, "remount", "rw")
    assert unlike(state(disk), before) == []
    assert scene.run().code == 0
    assert unlike(state(disk), scene.after) == []
