"""What a row of a release says."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import soundfile

from corpus.media import flac_bytes
from corpus.publish.columns import copla_of, features, lines_of, row, standard
from corpus.records import (
    Description,
    Features,
    Fingerprint,
    Kind,
    Mark,
    Recording,
    Tier,
    Utterance,
    Variant,
    Word,
)
from corpus.rows import AlignedRecording
from corpus.workspace import Workspace
from tests.corpus.made import recording, tone, utterance, verse
from tests.corpus.publishing import about, publish, said, table

# ---- rows


def test_words_lie_in_the_clip() -> None:
    one = recording("a")
    word = Word(text="ay", start=0.1 + 0.2, end=0.7)
    made = Utterance(recording=one.id, start=0.3, end=0.7, text="ay", words=(word,))
    (timed,) = row(made, about(one), b"", "flac")["words"]
    assert (timed["start"], timed["end"]) == (pytest.approx(0.0), pytest.approx(0.4))


@pytest.mark.parametrize(
    ("sung", "written"),
    [
        ("po la caye\nabajo", "por la calle abajo"),
        ("por la calle", "por la calle"),
        ("otra cosa\npor la caye", "otra cosa por la calle"),
        ("", ""),
    ],
)
def test_the_letra_tells_the_standard_spelling(sung: str, written: str) -> None:
    assert standard(sung, verse("por la calle", "abajo")) == written
    assert standard(sung, None) == ""


RIVER = verse("por la vereda del río", "se me fue la primavera", "ay de mí", source="a")
SPRING = verse("ya viene la primavera", "ay de mí y de ti", "se me fue la primavera", source="b")
SHORE = verse("por la orilla del río", "se fue la primavera", source="c")


def test_what_people_wrote_themselves_has_a_copla_too() -> None:
    """No verse was found: a region that somebody drew."""
    one = recording("a")
    coplas = {RIVER.id: RIVER.id, SHORE.id: RIVER.id}
    verses = (RIVER, SPRING, SHORE)
    told = about(one, coplas=coplas, lines=lines_of(verses, coplas))

    def sung(text: str, **more: Any) -> str:
        return copla_of(replace(utterance(one, text, 1.0), **more), told)

    assert sung("lo que sea", verse=SHORE.id) == RIVER.id
    assert sung("lo que sea", verse=SPRING.id) == SPRING.id
    assert sung("Por la verea der río\nlereré") == RIVER.id
    assert sung("ya viene la primavera\nse me fue la primavera") == SPRING.id
    # A line of two coplas tells nothing, nor does one that is short.
    mine = sung("se me fue la primavera")
    assert mine not in {RIVER.id, SPRING.id, ""}
    assert mine == sung("Se me fue\nla primavera") != sung("se me fue otra cosa")
    assert sung("ay de mí") == ""
    assert sung("ole ole") == sung("por la vereda del río", kind=Kind.JALEO) == ""


def test_what_people_wrote_themselves_is_in_one_split(aligned: Workspace, tmp_path: Path) -> None:
    for one in aligned.store.recordings()[:4]:
        drawn = replace(utterance(one, "la luna que me alumbraba", 4.5), tier=Tier.SILVER)
        (letra, *_) = aligned.store.utterances(one.id)
        with aligned.store.transaction() as transaction:
            transaction.save([AlignedRecording(recording=one.id, utterances=(letra, drawn))])
    told = publish(aligned, tmp_path / "uno")
    rows = table(tmp_path / "uno").to_pylist()
    assert len({row["copla"] for row in rows if row["verse"] == ""}) == 1
    (reason,) = told.set_aside
    assert reason.startswith("its copla is in ")


# ---- every column


def test_every_column_is_filled(workspace: Workspace, tmp_path: Path) -> None:
    one = Recording(
        id="ab" * 32,
        source="https://archivo.example/cinta/7",
        duration=6.0,
        title="Soleá de Alcalá",
        artist="La Niña",
        author="Popular",
        album="Antología",
        year=1957,
        palo="soleares",
        region="Alcalá",
        sex="female",
        rights="cc-by-4.0",
        master="ab" * 32,
        extra=(("estilo", "de Joaquín el de la Paula"),),
    )
    path = workspace.media.flac(one.id)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(flac_bytes(tone(6.0)))
    copla = verse("por la calle abajo", "va la bajañí", source="a", rights="traditional")
    other = verse("por la calle abajo", "va mi bajañí", source="b")
    letra = replace(utterance(one, "po la caye abajo\nva la bajañí", 1.0), verse=other.id)
    cry = replace(utterance(one, "Ay", 3.0, 1.0), kind=Kind.QUEJIO)
    words = Description(
        recording=one.id,
        annotator="ana",
        made="2026",
        answers=(("words", "bajañí"), ("white noise", "1")),
    )
    with workspace.store.transaction() as transaction:
        transaction.save([one, copla, other, Variant(verse=other.id, copla=copla.id)])
        transaction.save([AlignedRecording(recording=one.id, utterances=(letra, cry)), words])
        transaction.save([Fingerprint(recording=one.id, codes=b"codes")])
        transaction.save([replace(said(letra, "ana"), words=letra.words)])
    publish(workspace, tmp_path / "uno", Tier.BRONZE)
    (path,) = (tmp_path / "uno" / "data").iterdir()
    found = {row["kind"]: row for row in pq.read_table(path).to_pylist()}
    assert set(found["letra"]) == set(features())
    mine = found["letra"]
    clip, rate = soundfile.read(io.BytesIO(mine.pop("audio")["bytes"]))
    assert (clip.shape, rate) == ((16_000,), 16_000)
    (person,) = mine.pop("annotators")
    assert person.startswith("annotator-")
    words_timed = mine.pop("words")
    assert [word["text"] for word in words_timed] == mine["text"].split()
    assert all(set(word) == {"text", "start", "end", "score"} for word in words_timed)
    assert mine == {
        "id": letra.id,
        "text": "po la caye abajo va la bajañí",
        "text_standard": "por la calle abajo va mi bajañí",
        "kind": "letra",
        "start": 1.0,
        "end": 2.0,
        "duration": 1.0,
        "recording": one.id,
        "master": one.id,
        "verse": other.id,
        "copla": copla.id,
        "palo": "soleares",
        "estilo": "de Joaquín el de la Paula",
        "singer": "La Niña",
        "sex": "female",
        "region": "Alcalá",
        "title": "Soleá de Alcalá",
        "author": "Popular",
        "album": "Antología",
        "year": 1957,
        "marks": [{"name": "white noise", "points": 1, "by": "person"}],
        "quejio_share": 0.5,
        "culture_share": pytest.approx(1 / 7),
        "probability": 1.0,
        "tier": "gold",
        "rights_audio": "cc-by-4.0",
        "rights_text": "unknown",
        "rights_annotation": "unknown",
        "source": "https://archivo.example/cinta/7",
        "fingerprint": b"codes",
    }
    assert (found["quejío"]["copla"], found["quejío"]["rights_text"]) == ("", "")


def test_what_a_person_marked_wins_over_what_was_measured() -> None:
    one = recording("a")
    measured = Features(
        recording=one.id,
        measures=(),
        marks=tuple(
            Mark(name=name, points=2, measure="x", value=1.0) for name in ("white noise", "hum")
        ),
    )
    told = about(one, marks={one.id: {"white noise": 0}}, features={one.id: measured})
    found = row(utterance(one, "ay", 0.0), told, None, "flac")
    assert found["marks"] == [
        {"name": "hum", "points": 2, "by": "machine"},
        {"name": "white noise", "points": 0, "by": "person"},
    ]
    assert found["audio"] is None


def test_the_words_of_a_culture_are_shared_out() -> None:
    one = recording("a")
    told = about(one, culture=frozenset({"bajañi"}))
    assert row(utterance(one, "la Bajañí", 0.0), told, None, "flac")["culture_share"] == 0.5
    assert row(utterance(one, "", 0.0), told, None, "flac")["culture_share"] is None
    assert row(utterance(one, "la", 0.0), about(one), None, "flac")["culture_share"] is None


# ---- what people did


def test_who_annotated_goes_by_a_pseudonym(aligned: Workspace, tmp_path: Path) -> None:
    utterances = aligned.store.utterances()
    mark = Description(
        recording=utterances[0].recording,
        annotator="ana@example.org",
        made="2026",
        answers=(("white noise", "2"), ("palo", "tientos"), ("words", "caye")),
    )
    with aligned.store.transaction() as transaction:
        transaction.save([said(utterances[0], "ana@example.org"), mark])
        transaction.save([said(utterances[2], "ana@example.org")])
        transaction.save([said(utterances[4], "eva@example.org")])
    publish(aligned, tmp_path / "uno", Tier.BRONZE)
    rows = {one["id"]: one for one in table(tmp_path / "uno").to_pylist()}
    ana, again, eva, nobody = (rows[utterances[k].id]["annotators"] for k in (0, 2, 4, 1))
    assert ana == again != eva
    assert nobody == []
    assert ana[0].startswith("annotator-")
    assert "example.org" not in str(rows)
    assert rows[utterances[0].id]["marks"] == [{"name": "white noise", "points": 2, "by": "person"}]
    key = aligned.root / "pseudonyms.key"
    assert key.stat().st_mode & 0o777 == 0o600
