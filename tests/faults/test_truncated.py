"""Killed, and the disk had not kept all that it took: the newest file is cut short, or empty."""

from __future__ import annotations

import re
import shutil
import signal
from pathlib import Path

import pytest

from corpus.workspace import CONFIG_NAME, read_config
from tests.faults import child
from tests.faults.child import Ended, Fault
from tests.faults.points import Point
from tests.faults.scenes import NAMES, Played, brief
from tests.faults.state import leftovers, state, unlike

_SAYS = re.compile(r"damaged|is empty|cannot be (?:read|used)|lasts [\d.]+ s, not")


def newest(world: Path) -> Path | None:
    """The file that was written last, and not only made."""
    files = [path for path in world.rglob("*") if path.is_file() and not path.name.endswith("-shm")]
    written = [path for path in files if path.stat().st_size]
    return max(written, key=lambda path: path.stat().st_mtime_ns, default=None)


def cut_short(scene: Played, at: Point, *, whole: bool) -> list[str]:
    """What is not right after a cut at a point, the same command, and `verify --mend`.

    The file that was written last is cut to its half, or is empty.
    """
    scene.set_up()
    there = newest(scene.world)
    assert scene.run(Fault(at=at)).code == -signal.SIGKILL
    damaged = newest(scene.world)
    if damaged is None or damaged == there:
        return []
    with damaged.open("r+b") as file:
        file.truncate(0 if whole else damaged.stat().st_size // 2)
    ended = scene.run()
    if "is taken" in ended.err:
        # What stands in a folder of its own is made anew by who removes that.
        shutil.rmtree(scene.world / damaged.relative_to(scene.world).parts[0])
        ended = scene.run()
    if named(ended, damaged) or named(mended(scene.world, damaged), damaged):
        return []
    wrong = [f"other: {name}" for name in unlike(state(scene.world), scene.after)]
    return [f"{damaged.name}: {says}" for says in (*wrong, *leftovers(scene.world))]


def mended(world: Path, damaged: Path) -> Ended:
    """`corpus verify --mend` in the corpus that a file lies in, or in the one there is."""
    restored = damaged.is_relative_to(world / "restored")
    return child.run(world, "-w", "restored" if restored else "cante", "verify", "--mend")


def named(ended: Ended, damaged: Path) -> bool:
    """Whether a command tells of a file that something is wrong with it; not in so many words."""
    assert "unexpected" not in ended.err, ended
    name = damaged.name.removesuffix("-wal")
    lines = f"{ended.out}\n{ended.err}".splitlines()
    return any(name in line and _SAYS.search(line) for line in lines)


@pytest.mark.parametrize("whole", [False, True], ids=["half", "empty"])
@pytest.mark.parametrize("name", brief(NAMES))
def test_mended_or_named(scenes: dict[str, Played], name: str, *, whole: bool) -> None:
    scene = scenes[name]
    settings = read_config(scenes["collect"].before / "cante" / CONFIG_NAME)
    last = {point.what: point for point in scene.points}
    at = [last[what] for what in last if what.startswith(("after commit", "after re"))]
    for point in at:
        wrong = cut_short(scene, point, whole=whole)
        # Every value that `corpus init` writes is the one that counts where nothing is written.
        if wrong == [f"{CONFIG_NAME}: other: cante/{CONFIG_NAME}"]:
            assert read_config(scene.world / "cante" / CONFIG_NAME) == settings
        else:
            assert wrong == []
