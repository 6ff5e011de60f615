"""A clock that is set back: what is newest stays so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from corpus.publish.folder import read_manifest
from corpus.workspace import Workspace
from tests.annotate import people
from tests.faults import child
from tests.faults.child import Fault
from tests.faults.scenes import Played
from tests.faults.state import state, unlike

DAYS_BEFORE = Fault(hours_fast=-48)


def test_the_newest_release_is_the_one_made_last(scenes: dict[str, Played]) -> None:
    scene = scenes["export"]
    found = {}
    for fault in (child.NO_FAULT, DAYS_BEFORE):
        scene.set_up()
        ran = child.run(scene.world, *scenes["release"].scene.arguments[:-8][:3], "v2", fault=fault)
        assert ran.code == 0, ran
        found[fault.hours_fast] = state(scene.world)
        releases = scene.world / "cante" / "releases"
        first, second = (read_manifest(releases / name).made for name in ("v1", "v2"))
        assert first < second
    workspace = Workspace.open(scene.world / "cante")
    made = {one.name: one.made for one in workspace.store.releases()}
    workspace.store.close()
    assert made == {"v1": first, "v2": second}
    assert unlike(found[0.0], found[-48.0]) == []


def test_the_newest_annotation_speaks(scenes: dict[str, Played]) -> None:
    scene = scenes["annotate import"]
    scene.set_up()
    task = json.loads((scene.world / "out" / "tasks.json").read_text("utf-8"))[0]
    later = hand_in(scene.world, task, "ay lo nuevo", "2026-03-02T10:00:00Z")
    sooner = hand_in(scene.world, task, "ay lo viejo", "2026-03-01T10:00:00Z")
    # In whatever order they come, and whatever it is o'clock then.
    for path, fault in ((later, child.NO_FAULT), (sooner, DAYS_BEFORE)):
        ran = child.run(scene.world, "-w", "cante", "annotate", "import", path, fault=fault)
        assert ran.code == 0, ran
    ran = child.run(scene.world, "-w", "cante", "utterances", "--json")
    texts = [line["text"] for line in json.loads(ran.out)["lines"] if line["tier"] == "gold"]
    assert texts == ["ay lo nuevo"]


def hand_in(world: Path, task: dict[str, Any], text: str, at: str) -> str:
    """An export of what somebody said at a moment of the server's."""
    done = people.handed_in(task, people.text(text), created_at=at, updated_at=at)
    (world / f"{at[:10]}.json").write_text(json.dumps([done]), "utf-8")
    return f"{at[:10]}.json"
