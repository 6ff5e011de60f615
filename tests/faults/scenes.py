"""The whole way of a small corpus, command by command: where faults are laid.

Each scene begins with the world that the one before has left: recordings, letras and the corpus
below one folder, which always stands in the same place.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.annotate import people
from tests.faults import child
from tests.faults.child import NO_FAULT, Ended, Fault, Running
from tests.faults.points import Point
from tests.faults.state import leftovers, state
from tests.faults.toys import OTHERWISE, SUNG

__all__ = ["NAMES", "SCENES", "Played", "Scene", "brief", "played"]

_SINGERS = {4: "La Niña - Tientos", 5: "Paco - Soleá", 6: "El Otro - Caña"}


@dataclass(frozen=True, slots=True)
class Scene:
    """A command in a corpus; before it, what no command does."""

    name: str
    arguments: tuple[str, ...]
    prepare: Callable[[Path], None] = lambda _: None


@dataclass(frozen=True, slots=True)
class Played:
    """A scene that was played undisturbed: how the world was before, and is after it."""

    scene: Scene
    world: Path
    before: Path
    after: dict[str, Any] = field(repr=False)
    points: tuple[Point, ...] = field(repr=False)

    def set_up(self) -> None:
        """Bring the world to where the scene begins."""
        self.world.mkdir(exist_ok=True)
        # Its folder stays: a disk may be mounted there.
        for path in self.world.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copytree(self.before, self.world, dirs_exist_ok=True)

    def start(self, fault: Fault = NO_FAULT) -> Running:
        """Begin the command of the scene."""
        return child.start(self.world, *self.scene.arguments, fault=fault)

    def run(self, fault: Fault = NO_FAULT) -> Ended:
        """The command of the scene, to its end."""
        return self.start(fault).ended()


def played(folder: Path) -> dict[str, Played]:
    """Play all scenes, one after the other; by their names."""
    world, found = folder / "world", {}
    world.mkdir()
    for scene in SCENES:
        scene.prepare(world)
        before = Path(shutil.copytree(world, folder / "before" / scene.name))
        ended = child.run(world, *scene.arguments)
        assert ended.code == 0, (scene.name, ended)
        assert not leftovers(world), scene.name
        found[scene.name] = Played(scene, world, before, state(world), ended.points)
    return found


# ---- what no command does


def _sources(world: Path) -> None:
    """Recordings of noise, of four to six seconds, and the letras of what is sung in them."""
    (world / "sources").mkdir()
    (world / "letras").mkdir()
    for seconds, name in _SINGERS.items():
        noise = np.random.default_rng(seconds).normal(0, 0.1, seconds * 16_000)
        soundfile.write(world / "sources" / f"{name}.wav", noise, 16_000)
        words = SUNG[seconds].split()
        text = " ".join(words[:4]) + "\n" + " ".join(words[4:]) + "\n"
        (world / "letras" / f"{seconds}.txt").write_text(text, "utf-8")


def _handed_in(world: Path) -> None:
    """Somebody heard the clips: one was right, the text of the others was not."""
    tasks = json.loads((world / "out" / "tasks.json").read_text("utf-8"))
    done = []
    for number, task in enumerate(tasks, 1):
        edits = [] if number == 1 else [people.text(f"ay {SUNG[4 + number % 3]}")]
        done.append(people.handed_in(task, *edits, number=number))
    (world / "back.json").write_text(json.dumps(done), "utf-8")


def _heard_otherwise(world: Path) -> None:
    """A model that hears otherwise than the one before."""
    (world / OTHERWISE).touch()


def _side(world: Path) -> None:
    """Two tracks on a side of a record that hisses."""
    rng = np.random.default_rng(0)
    beat = np.repeat(rng.uniform(0.3, 1.0, 62 * 8), 2000)
    track, gap = 0.2 * beat * rng.normal(0, 1, len(beat)), np.zeros(3 * 16_000)
    audio = np.concatenate([gap, track, gap, track, gap])
    hissing = np.clip(audio + rng.normal(0, 0.002, len(audio)), -1, 1)
    soundfile.write(world / "El Otro - Cara A.flac", hissing, 16_000)


def _damaged(world: Path) -> None:
    """A recording that lost what is heard of it, and one whose original is damaged."""
    heard = sorted((world / "cante" / "media" / "flac").rglob("*.flac"))
    originals = sorted((world / "cante" / "media" / "original").rglob("*.wav"))
    heard[0].unlink()
    originals[-1].write_bytes(originals[-1].read_bytes()[:-2] + b"xx")


# ---- the way

_IN = ("-w", "cante")
_RELEASE = ("--min-tier", "bronze", "--train", "0.5", "--validation", "0", "--test", "0.5")

SCENES = (
    Scene("init", ("init", "cante"), _sources),
    Scene("collect", (*_IN, "collect", "sources")),
    Scene("lyrics", (*_IN, "lyrics", "letras")),
    Scene("duplicates", (*_IN, "duplicates")),
    Scene("draft", (*_IN, "draft")),
    Scene("match", (*_IN, "match")),
    Scene("align", (*_IN, "align")),
    Scene("annotate page", (*_IN, "annotate", "page", "hoja.html")),
    Scene("annotate export", (*_IN, "annotate", "export", "out")),
    Scene("annotate import", (*_IN, "annotate", "import", "back.json"), _handed_in),
    Scene("word times", (*_IN, "align")),
    Scene("release", (*_IN, "release", "v1", *_RELEASE)),
    Scene("export", (*_IN, "export", "v1", "v1-lrc", "--to", "lrc")),
    Scene("improve", (*_IN, "improve", "--no-head"), _heard_otherwise),
    Scene("report", (*_IN, "report")),
    Scene("backup", (*_IN, "backup", "copies")),
    Scene("backup in one file", (*_IN, "backup", "copy.tar")),
    Scene("verify", (*_IN, "verify", "--mend"), _damaged),
    Scene("sides", (*_IN, "sides", "El Otro - Cara A.flac", "--tracks", "2"), _side),
    Scene("purge", (*_IN, "purge", "--artist", "Paco", "--reason", "asked", "--yes")),
    Scene("withdraw", (*_IN, "withdraw", "v1", "v2")),
    Scene("restore", ("restore", "copies", "restored")),
)

NAMES = tuple(scene.name for scene in SCENES)

_BRIEF = {"init", "collect", "lyrics", "align", "annotate import", "release", "purge", "restore"}


def brief(names: Iterable[str]) -> list[Any]:
    """Scenes as parameters of a test; in a short run of the tests, those that tell most."""
    long = pytest.mark.long
    return [pytest.param(name, marks=() if name in _BRIEF else long) for name in names]
