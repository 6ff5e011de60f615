"""Releases to test with: small, real, with what people type where one would not expect it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from corpus.media import flac_bytes
from corpus.publish.choose import Wanted
from corpus.publish.clips import Codec
from corpus.publish.export import Exported, export
from corpus.publish.folder import data_files, split_of
from corpus.publish.formats import formats
from corpus.publish.release import Options, release
from corpus.records import Fingerprint, Kind, Tier
from corpus.rows import AlignedRecording
from corpus.workspace import Workspace
from tests.corpus.made import recording, tone, utterance, verse

SINGERS = ("Camarón", "La Niña ../de los 🪮", "=HYPERLINK()", "ñ" * 300, "鳥", "")
TITLE = "../../ay\n[00:00.00] \"ay\" 🎸 'y' %06d " + "muy largo " * 100


def fill(workspace: Workspace) -> None:
    """Six recordings: of each a letra, a quejío and, in one, a falseta without a word."""
    for i, name in enumerate(SINGERS):
        one = recording(f"cinta {i}", artist=name, palo="tientos", rights="CC BY 4.0")
        one = replace(one, title=TITLE, year=1950 + i if i else None, sex="m" if i % 2 else "")
        path = workspace.media.flac(one.id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(flac_bytes(tone(6.0, 200.0 + i)))
        copla = verse("por la calle", f"abajo {i}", source="a", position=i, rights="CC0")
        letra = replace(utterance(one, f"po la «caye»\nabajo {i}", 1.0), verse=copla.id)
        cry = replace(utterance(one, "ay ay ay", 2.5, 1.2504), kind=Kind.QUEJIO)
        guitar = replace(utterance(one, "", 4.0, 0.5), kind=Kind.FALSETA)
        made = AlignedRecording(recording=one.id, utterances=(letra, cry, guitar)[: 3 - i % 2])
        codes = Fingerprint(recording=one.id, codes=bytes(range(12)))
        with workspace.store.transaction() as transaction:
            transaction.save([one, copla, made, codes])


def released(workspace: Workspace, folder: Path, codec: Codec = Codec.FLAC, **more: Any) -> Path:
    """A release of all that is there."""
    options = Options(
        shares={"train": 0.6, "validation": 0.2, "test": 0.2},
        wanted=Wanted(min_tier=Tier.BRONZE),
        codec=codec,
        **more,
    )
    release(workspace, folder.name, folder, options)
    return folder


def rows_of(release: Path) -> dict[str, list[dict[str, Any]]]:
    """All rows by split, as pyarrow reads them."""
    import pyarrow.parquet as pq

    found: dict[str, list[dict[str, Any]]] = {}
    for path in data_files(release):
        found.setdefault(split_of(path), []).extend(pq.read_table(path).to_pylist())
    return found


def exported(release: Path, name: str, folder: Path) -> Exported:
    """The release in a format."""
    return export(release, formats()[name], folder)
