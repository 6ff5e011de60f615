"""What may not be in two splits, and what every split is to have its part of."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from corpus.media import flac_bytes
from corpus.publish.about import quality_of, strata_of
from corpus.publish.folder import split_of
from corpus.publish.splits import groups_of, names_in
from corpus.publish.tally import shared
from corpus.records import (
    Features,
    Mark,
    Tier,
)
from corpus.rows import AlignedRecording
from corpus.workspace import Workspace
from tests.corpus.made import recording, tone, utterance
from tests.corpus.publishing import about, publish

# ---- groups


def test_a_performance_is_in_one_split_however_it_came() -> None:
    whole = recording("side")
    track = replace(recording("track"), part_of=whole.id)
    copy = replace(recording("copy", master=track.id), artist="La Niña")
    original = replace(track, master=track.id)
    other = recording("another", artist=["NIÑA", " LA"][0])
    same_singer = recording("same singer", artist="la niña")
    alone = recording("alone")
    groups = groups_of([whole, original, copy, same_singer, other, alone])
    together = {groups[one.id] for one in (whole, original, copy, same_singer)}
    assert len(together) == 1
    assert groups[other.id] not in together
    assert groups[alone.id] not in together | {groups[other.id]}


def test_groups_do_not_depend_on_the_order() -> None:
    chain = [recording(str(k), artist=f"voz {k // 2}", master=f"m{(k + 1) // 2}") for k in range(8)]
    groups = groups_of(chain)
    assert len(set(groups.values())) == 1
    assert groups_of(chain[::-1]) == groups


@pytest.mark.parametrize(
    ("artist", "names"),
    [
        ("Camarón de la Isla", ("camaron de la isla",)),
        ("Lole y Manuel", ("lole", "manuel")),
        ("Camarón & Paco de Lucía / Tomatito", ("camaron", "paco de lucia", "tomatito")),
        ("Fosforito con Paco de Lucía", ("fosforito",)),
        ("La Paquera feat. El Torta; Moraíto", ("la paquera", "el torta", "moraito")),
        ("Terremoto acompañado por Manuel Morao", ("terremoto",)),
        ("Mairena, Antonio", ("mairena antonio",)),
        ("Yerbabuena", ("yerbabuena",)),
        ("y", ("y",)),
        ("con", ("con",)),
        ("", ()),
        (" & ", ()),
    ],
)
def test_those_who_sing_together_are_told_apart(artist: str, names: tuple[str, ...]) -> None:
    assert names_in(artist) == names


def test_who_sings_with_others_too_is_in_one_split_and_a_guitarist_ties_nobody() -> None:
    artists = ("Camarón", "Lebrijano y Camarón", "Camarón y Paco", "Fosforito y Paco", "Lebrijano")
    made = [recording(f"r{k}", artist=artist) for k, artist in enumerate(artists)]
    groups = groups_of(made)
    mine = {groups[made[k].id] for k in (0, 1, 2, 4)}
    assert len(mine) == 1
    assert groups[made[3].id] not in mine
    bare = [
        (split, {"singer": artist, "copla": "", "master": str(k)})
        for k, (split, artist) in enumerate(zip(("test", *["train"] * 4), artists, strict=True))
    ]
    assert shared(bare) == ("singer camaron",)
    assert shared([("test", row) for _, row in bare]) == ()
    # Of whom it is not known, nobody says that it is one.
    assert shared([(split, {**row, "singer": ""}) for split, row in bare]) == ()


# ---- what splits are to have evenly


def test_palo_era_and_sound_are_to_be_spread_evenly() -> None:
    one = replace(recording("a"), palo="Soleá", year=1957)
    two = replace(recording("b"), palo="", year=None)
    said = {one.id: {"hiss": 2, "hum": 0}}
    told = about(one, two, marks=said)
    assert strata_of(utterance(one, "ay", 1.0), told) == (
        "palo solea",
        "era 1950s",
        "quality fair",
    )
    assert strata_of(utterance(two, "ay", 1.0), told) == ("palo ", "era unknown", "quality unknown")
    for points, quality in ((0, "good"), (1, "good"), (2, "fair"), (4, "fair"), (5, "poor")):
        measured = Features(
            recording=two.id,
            measures=(),
            marks=tuple(
                Mark(name=f"m{k}", points=1, measure="x", value=1.0) for k in range(points)
            ),
        )
        assert quality_of(two.id, about(two, features={two.id: measured})) == quality


def test_every_split_has_its_part_of_each_era_and_quality(
    workspace: Workspace, tmp_path: Path
) -> None:
    """Sixty singers: half of them old, half of them poor, and half of each the other."""
    for k in range(60):
        one = replace(recording(f"r{k:02}", artist=f"voz {k}"), year=1930 if k % 2 else 1970)
        path = workspace.media.flac(one.id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(flac_bytes(tone(2.0, 200.0 + k)))
        marks = (Mark(name="hiss", points=5 if k % 4 < 2 else 0, measure="x", value=1.0),)
        cut = replace(utterance(one, f"ay {k}", 0.5), tier=Tier.SILVER)
        with workspace.store.transaction() as transaction:
            transaction.save([one, AlignedRecording(recording=one.id, utterances=(cut,))])
            transaction.save([Features(recording=one.id, measures=(), marks=marks)])
    publish(workspace, tmp_path / "uno", shares={"train": 0.6, "validation": 0.2, "test": 0.2})
    found = Counter(
        (split_of(path), row["year"], row["marks"][0]["points"])
        for path in (tmp_path / "uno" / "data").iterdir()
        for row in pq.read_table(path).to_pylist()
    )
    for split, n_each in (("train", 18), ("validation", 6), ("test", 6)):
        for year in (1930, 1970):
            assert found[split, year, 0] + found[split, year, 5] == n_each
        for points in (0, 5):
            assert found[split, 1930, points] + found[split, 1970, points] == n_each
