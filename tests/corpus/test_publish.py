from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile

from corpus.errors import MediaError, PublishError
from corpus.media import FlacSamples, flac_bytes
from corpus.publish.about import quality_of, strata_of
from corpus.publish.columns import About, copla_of, features, lines_of, row, standard
from corpus.publish.folder import split_of
from corpus.publish.splits import groups_of, names_in
from corpus.publish.tally import shared
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
from corpus.text import fold
from corpus.workspace import Workspace
from tests.corpus.made import recording, tone, utterance, verse
from tests.corpus.publishing import publish, said, table

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


# ---- a workspace to publish


@pytest.fixture
def loaded(aligned: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The dataset that was published, opened as anybody would."""
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    publish(aligned, tmp_path / "uno", min_tier=Tier.BRONZE)
    datasets.disable_progress_bars()
    yield datasets.load_dataset(str(tmp_path / "uno"))
    datasets.enable_progress_bars()


def test_the_dataset_opens(loaded: Any, aligned: Workspace, tmp_path: Path) -> None:
    from datasets import Audio

    assert set(loaded) == {"train", "validation", "test"}
    assert sum(len(split) for split in loaded.values()) == 10
    assert loaded["train"].features == features()
    rows = [
        one for split in loaded.values() for one in split.cast_column("audio", Audio(decode=False))
    ]
    by_id = {one["id"]: one for one in rows}
    assert set(by_id) == {one.id for one in aligned.store.utterances()}
    for one in aligned.store.utterances():
        found = by_id[one.id]
        assert found["text"] == " ".join(one.text.split())
        assert [word["text"] for word in found["words"]] == one.text.split()
        assert found["words"][0]["start"] == pytest.approx(0.0)
        assert found["words"][-1]["end"] == pytest.approx(one.duration)
        clip = tmp_path / found["audio"]["path"]
        clip.write_bytes(found["audio"]["bytes"])
        assert FlacSamples(clip).n_samples == round(one.duration * 16_000)
        whole = aligned.media.samples(one.recording)
        heard = FlacSamples(clip).read(0, 1000)
        np.testing.assert_allclose(heard, whole.read(round(one.start * 16_000), 1000), atol=1e-4)


def test_splits_share_nothing_as_they_are_loaded(loaded: Any) -> None:
    rows = [(name, one) for name, split in loaded.items() for one in split.remove_columns("audio")]
    assert shared(rows) == ()
    (split, one), *_ = rows
    other = next(name for name in loaded if name != split)
    named = shared([*rows, (other, {**one, "singer": "", "master": "another"})])
    assert named == ((f"copla {one['copla']}",) if one["copla"] else ())
    assert f"singer {fold(one['singer'])}" in shared([*rows, (other, one)])


def test_the_columns_say_who_may_use_what(loaded: Any) -> None:
    rows = [one for split in loaded.values() for one in split.remove_columns("audio")]
    rights = {(one["singer"], one["rights_audio"], one["rights_text"]) for one in rows}
    assert ("Camarón", "unknown", "CC0") in rights
    assert ("Paco", "CC BY 4.0", "") in rights  # a cry: nobody has written "ay"
    assert {one["source"] for one in rows} == {""}  # a path of this machine is nobody's business
    assert {one["kind"] for one in rows} == {"letra", "quejío"}
    assert {one["tier"] for one in rows} == {"silver", "bronze"}
    assert {one["year"] for one in rows} == {1950, 1951, 1952, 1953, 1954}


def test_the_audio_decodes(loaded: Any) -> None:
    pytest.importorskip("torchcodec")
    one = loaded["train"][0]
    heard = one["audio"].get_all_samples()
    assert heard.sample_rate == 16_000
    assert heard.data.shape == (1, round(one["duration"] * 16_000))


def test_the_release_is_kept(aligned: Workspace, tmp_path: Path) -> None:
    published = publish(aligned, tmp_path / "uno")
    assert dict(published.rows).keys() == {"train", "validation", "test"}
    assert sum(dict(published.rows).values()) == 5
    assert sum(published.hours.values()) == pytest.approx(5.0 / 3600)
    assert published.left_out == {"below silver": 5}
    (release,) = aligned.store.releases()
    assert (release.name, len(release.utterances)) == ("uno", 5)
    assert aligned.store.funnel().published == 5


@pytest.mark.parametrize(("tier", "n_rows"), [(Tier.BRONZE, 10), (Tier.SILVER, 5)])
def test_the_tier_is_the_bar(aligned: Workspace, tmp_path: Path, tier: Tier, n_rows: int) -> None:
    published = publish(aligned, tmp_path / "uno", min_tier=tier)
    assert sum(dict(published.rows).values()) == n_rows
    assert sum(dict(published.left_out).values()) == 10 - n_rows


# ---- what is refused, and leaves nothing


def test_nothing_to_publish(workspace: Workspace, aligned: Workspace, tmp_path: Path) -> None:
    with pytest.raises(
        PublishError, match=r"none of the 10 utterances may go in \(10 below gold\)"
    ):
        publish(aligned, tmp_path / "uno", min_tier=Tier.GOLD)
    empty = Workspace.create(tmp_path / "empty")
    with pytest.raises(PublishError, match="run `corpus align` first"):
        publish(empty, tmp_path / "uno")
    empty.store.close()
    assert not (tmp_path / "uno").exists()
    assert workspace.store.releases() == ()


def test_a_taken_folder(aligned: Workspace, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    publish(aligned, tmp_path / "empty")
    with pytest.raises(PublishError, match="is taken"):
        publish(aligned, tmp_path / "empty")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(PublishError, match="is taken"):
        publish(aligned, tmp_path / "file")


def test_a_release_is_not_changed(aligned: Workspace, tmp_path: Path) -> None:
    publish(aligned, tmp_path / "uno")
    with pytest.raises(PublishError, match="named uno exists with other utterances"):
        publish(aligned, tmp_path / "other" / "uno", min_tier=Tier.BRONZE)
    assert not (tmp_path / "other").exists()


def test_audio_that_is_gone_leaves_no_folder(aligned: Workspace, tmp_path: Path) -> None:
    aligned.media.flac(aligned.store.recordings()[2].id).unlink()
    (tmp_path / "out").mkdir()
    with pytest.raises(MediaError, match="run `corpus verify --mend`"):
        publish(aligned, tmp_path / "out" / "uno")
    assert list((tmp_path / "out").iterdir()) == []
    assert aligned.store.releases() == ()


def test_a_full_disk_leaves_no_folder(
    aligned: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("corpus.publish.shards.write_shard", full)
    (tmp_path / "out").mkdir()
    with pytest.raises(PublishError, match=r"no room left on the disk for .*uno"):
        publish(aligned, tmp_path / "out" / "uno")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_folder_that_cannot_be_made(aligned: Workspace, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(PublishError, match="cannot write"):
        publish(aligned, tmp_path / "file" / "uno")


# ---- rows


def about(*recordings: Recording, **more: Any) -> About:
    return About(recordings={one.id: one for one in recordings}, verses={}, **more)


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
