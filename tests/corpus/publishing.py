"""A small corpus to release, and how tests release it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from corpus.media import flac_bytes
from corpus.publish.choose import Wanted
from corpus.publish.columns import About
from corpus.publish.release import Options, Released, release
from corpus.records import Annotation, Kind, Recording, Tier, Utterance, Verdict
from corpus.rows import AlignedRecording
from corpus.workspace import Workspace
from tests.corpus.made import recording, tone, utterance, verse

SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}


def publish(
    workspace: Workspace, folder: Path, min_tier: Tier = Tier.SILVER, **more: Any
) -> Released:
    options = Options(**{"shares": SHARES, "wanted": Wanted(min_tier=min_tier), **more})
    return release(workspace, folder.name, folder, options)


def said(of: Utterance, who: str) -> Annotation:
    return Annotation(
        utterance=of.id,
        annotator=who,
        made="2026-01-01T00:00:00+00:00",
        verdict=Verdict.RIGHT,
        text=of.text,
        start=of.start,
        end=of.end,
    )


def table(folder: Path) -> Any:
    """All rows, without their sound."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    files = sorted((folder / "data").glob("*.parquet"))
    return pa.concat_tables([pq.read_table(path) for path in files]).drop_columns(["audio"])


@pytest.fixture
def aligned(workspace: Workspace) -> Workspace:
    """Four singers and one that is not known, two utterances each."""
    for i, name in enumerate(["Camarón", "La Niña", "Paco", "El Otro", ""]):
        one = recording(f"cinta {i}", artist=name, rights="" if i else "unknown", palo="tientos")
        one = replace(one, rights="CC BY 4.0" if i else "unknown", year=1950 + i)
        path = workspace.media.flac(one.id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(flac_bytes(tone(6.0, 200.0 + i)))
        # Each sings another copla: one that all sing could be in one split only.
        copla = verse("por la calle", f"abajo {i}", source="a", position=i, rights="CC0")
        first = replace(utterance(one, f"po la caye\nabajo {i}", 1.0), verse=copla.id)
        second = utterance(one, "ay ay ay", 3.0, 2.5)
        first, second = replace(first, tier=Tier.SILVER), replace(second, kind=Kind.QUEJIO)
        with workspace.store.transaction() as transaction:
            transaction.save(
                [one, copla, AlignedRecording(recording=one.id, utterances=(first, second))]
            )
    return workspace


def about(*recordings: Recording, **more: Any) -> About:
    """What is known besides the rows."""
    return About(recordings={one.id: one for one in recordings}, verses={}, **more)
