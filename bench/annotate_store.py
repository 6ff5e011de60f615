"""How fast utterances go out of a corpus to a real Label Studio, and what people said into it.

    python bench/annotate_store.py [UTTERANCES]

As `corpus annotate push` and `pull` do it: clips are cut, the store is read and written.  The
server finds the clips at an address, and its people have handed everything in as it was.
"""

from __future__ import annotations

import resource
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from annotate_server import TEXT, check, timed

from annotate.labelstudio import LabelStudio
from annotate.server import serve
from annotate.stage import to_hear
from annotate.sync import Sound, pull_from, push_to
from annotate.tasks import Piece, make_tasks
from corpus.media import flac_bytes
from corpus.records import Recording, Utterance
from corpus.rows import AlignedRecording
from corpus.show import say, table
from corpus.workspace import Workspace

N_EACH = 100
"""Utterances of a recording: two seconds each, and one of silence."""

AT = Sound(url="http://127.0.0.1/clips")


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A recording with its utterances."""

    recording: Recording
    aligned: AlignedRecording


def made(n: int) -> Iterator[Made]:
    """Recordings with n utterances together."""
    for first in range(0, n, N_EACH):
        id_ = f"{first + 1:064x}"
        utterances = tuple(
            Utterance(recording=id_, start=3.0 * i, end=3.0 * i + 2, text=TEXT, score=0.5)
            for i in range(min(N_EACH, n - first))
        )
        yield Made(
            recording=Recording(id=id_, source=f"/{first}.wav", duration=3.0 * N_EACH),
            aligned=AlignedRecording(recording=id_, utterances=utterances),
        )


def fill(workspace: Workspace, n: int) -> None:
    """Put n utterances into a corpus, with sound."""
    at = np.arange(3 * N_EACH * 16_000) / 16_000
    sound = flac_bytes((np.sin(2 * np.pi * 330 * at) / 2).astype(np.float32))
    with workspace.store.transaction() as transaction:
        for one in made(n):
            path = workspace.media.flac(one.recording.id)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(sound)
            transaction.save([one.recording, one.aligned])


def handed_in(workspace: Workspace, pieces: Sequence[Piece]) -> Iterator[dict[str, Any]]:
    """The tasks as they are once people have handed all in as it was."""
    recordings = {one.id: one for one in workspace.store.recordings()}
    for task in make_tasks(pieces, recordings):
        said = {"result": task["predictions"][0]["result"], "lead_time": 12.5}
        yield {**task, "annotations": [said]}


def measure(workspace: Workspace, server: LabelStudio, n: int, seconds: dict[str, float]) -> None:
    """Push, push again, pull, and pull what is new."""
    pieces = to_hear(workspace)
    with timed(seconds, "push, clips cut"):
        pushed = push_to(workspace, server, "store", pieces, AT)
    check(right=pushed.new == n, wrong="not every task went there")
    with timed(seconds, "push again"):
        pushed = push_to(workspace, server, "store", pieces, AT)
    check(right=(pushed.known, pushed.replaced) == (n, 0), wrong="what was there was not known")
    project = server.make_project("people", server.config_of(pushed.project))
    server.add_tasks(project, handed_in(workspace, pieces))
    with timed(seconds, "pull"):
        told = pull_from(workspace, server, project)
    check(right=told.verdicts == {"right": n}, wrong="not every annotation came back")
    with timed(seconds, "pull all again"):
        told = pull_from(workspace, server, project, everything=True)
    check(right=(told.new, told.missing) == (0, 0), wrong="something was doubled")


def main() -> None:
    """Measure, and print a table."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace.create(Path(folder) / "cante")
        fill(workspace, n)
        with (
            serve(workspace.root, tell=say) as running,
            LabelStudio(running.server.url, running.server.token) as server,
        ):
            measure(workspace, server, n, seconds)
        workspace.store.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    table(("", "s", "tasks/s"), [(name, spent, n / spent) for name, spent in seconds.items()])
    table(("", "MB"), [("peak memory", round(peak))])


if __name__ == "__main__":
    main()
