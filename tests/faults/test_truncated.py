"""Killed, and the disk had not kept all that it took: the newest file is cut short, or empty."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.faults import child
from tests.faults.child import Fault
from tests.faults.scenes import SCENES, Played
from tests.faults.state import leftovers, state, unlike

NAMES = [scene.name for scene in SCENES]
CUTS = {"half": 2, "empty": 0}


def newest(world: Path) -> Path | None:
    """The file that was written last, and not only made."""
    files = [path for path in world.rglob("*") if path.is_file() and not path.name.endswith("-shm")]
    written = [path for path in files if path.stat().st_size]
    return max(written, key=lambda path: path.stat().st_mtime_ns, default=None)


def cut_short(scene: Played, at: int, cut: int) -> str:
    """What is not right after a cut at a point, the same command, and `verify --mend`."""
    scene.set_up()
    there = newest(scene.world)
    assert scene.run(Fault(at=at)).code == -signal.SIGKILL
    damaged = newest(scene.world)
    if damaged is None or damaged == there:
        return ""
    size = damaged.stat().st_size
    with damaged.open("r+b") as file:
        file.truncate(size // cut if cut else 0)
    ended = scene.run()
    assert "unexpected" not in ended.err, ended
    if (scene.world / "cante" / "corpus.toml").exists():
        mended = child.run(scene.world, "-w", "cante", "verify", "--mend")
        assert "unexpected" not in mended.err, mended
        if damaged.name in mended.out or damaged.name in mended.err:
            return ""
    name = damaged.relative_to(scene.world)
    wrong = unlike(state(scene.world), scene.after)
    return f"{name}: {wrong} {ended.err}" if wrong or leftovers(scene.world) else ""


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("name", NAMES)
def test_mended_or_named(scenes: dict[str, Played], name: str, cut: str) -> None:
    scene = scenes[name]
    last = {point: n for n, point in enumerate(scene.points, 1)}
    at = [n for point, n in last.items() if point.startswith(("after commit", "after re"))]
    wrong = [cut_short(scene, n, CUTS[cut]) for n in at]
    assert [one for one in wrong if one] == []
