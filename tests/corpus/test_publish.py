from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import yaml

from corpus.errors import MediaError, PublishError
from corpus.media import FlacSamples, flac_bytes, hash_file
from corpus.publish.card import CardFacts, card
from corpus.publish.choose import Wanted
from corpus.publish.clips import Codec
from corpus.publish.columns import About, features, row, standard
from corpus.publish.release import MANIFEST, Options, Released, release
from corpus.publish.splits import groups_of
from corpus.records import (
    Annotation,
    Description,
    Features,
    Kind,
    Mark,
    Recording,
    Tier,
    Utterance,
    Verdict,
    Word,
)
from corpus.rows import AlignedRecording
from corpus.workspace import Workspace
from tests.corpus.made import recording, tone, utterance, verse

SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}
COPLA = verse("por la calle abajo", source="a", rights="CC0")


def publish(
    workspace: Workspace, folder: Path, min_tier: Tier = Tier.SILVER, **more: Any
) -> Released:
    options = Options(shares=SHARES, wanted=Wanted(min_tier=min_tier), **more)
    return release(workspace, folder.name, folder, options)


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


# ---- a workspace to publish


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


def test_the_columns_say_who_may_use_what(loaded: Any) -> None:
    rows = [one for split in loaded.values() for one in split.remove_columns("audio")]
    rights = {(one["singer"], one["rights_audio"], one["rights_text"]) for one in rows}
    assert ("Camarón", "unknown", "CC0") in rights
    assert ("Paco", "CC BY 4.0", "unknown") in rights
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


def front_matter(text: str) -> dict[str, Any]:
    _, head, _ = text.split("---\n", 2)
    found: dict[str, Any] = yaml.safe_load(head)
    return found


def test_the_card(aligned: Workspace, tmp_path: Path) -> None:
    publish(aligned, tmp_path / "uno")
    text = (tmp_path / "uno" / "README.md").read_text("utf-8")
    head = front_matter(text)
    assert head["language"] == ["es"]
    assert head["license"] == "other"
    # With them, `datasets` takes two local folders of one name for the same dataset.
    assert "configs" not in head
    assert "Left out: 5 below silver." in text
    assert "Tiers: 5 silver." in text
    assert "- audio of 4 utterances: CC BY 4.0" in text
    assert "- audio of 1 utterances: unknown" in text
    assert "private: the rights of some recordings or texts are unknown" in text
    assert "(1 recordings)" in text


def facts(*recordings: Recording, **changes: Any) -> CardFacts:
    utterances = tuple(replace(utterance(one, "ay", 0.0), verse=COPLA.id) for one in recordings)
    made: dict[str, Any] = {
        "name": 'cante: "jondo"\n#',
        "language": "es",
        "utterances": utterances,
        "split_of": {one.id: "train" for one in utterances},
        "recordings": {one.id: one for one in recordings},
        "verses": {COPLA.id: COPLA},
    }
    return CardFacts(**(made | changes))


def test_a_card_of_free_recordings_says_nothing_of_private() -> None:
    text = card(facts(recording("a", artist="Voz", rights="CC0")))
    assert front_matter(text)["pretty_name"] == 'cante: "jondo"\n#'
    assert "This dataset is private" not in text
    assert "Too few singers, or no share, for: validation, test." in text
    assert "Left out: nothing." in text


def test_a_text_of_unknown_rights_is_private_too() -> None:
    one = recording("a", artist="Voz", rights="CC0")
    unknown = replace(COPLA, sources=(*COPLA.sources, *verse("x", source="b").sources))
    text = card(facts(one, verses={COPLA.id: unknown}))
    assert "- text of 1 utterances: CC0 / unknown" in text
    assert "This dataset is private" in text


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
    with pytest.raises(MediaError, match="collect it again"):
        publish(aligned, tmp_path / "out" / "uno")
    assert list((tmp_path / "out").iterdir()) == []
    assert aligned.store.releases() == ()


def test_a_full_disk_leaves_no_folder(
    aligned: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("corpus.publish.release._write_shard", full)
    (tmp_path / "out").mkdir()
    with pytest.raises(PublishError, match=r"cannot write .*uno: No space left"):
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


def table(folder: Path) -> Any:
    """All rows, without their sound."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    files = sorted((folder / "data").glob("*.parquet"))
    return pa.concat_tables([pq.read_table(path) for path in files]).drop_columns(["audio"])


# ---- the folder


def test_the_same_gives_the_same_bytes(aligned: Workspace, tmp_path: Path) -> None:
    for name in ("uno", "dos"):
        publish(aligned, tmp_path / name, Tier.BRONZE)
    first, second = (
        json.loads((tmp_path / name / MANIFEST).read_text("utf-8")) for name in ("uno", "dos")
    )
    assert first["files"] == second["files"]
    assert len(first["files"]) >= 4
    for name, told in first["files"].items():
        path = tmp_path / "uno" / name
        assert (hash_file(path), path.stat().st_size) == (told["sha256"], told["bytes"])


def test_a_change_of_one_utterance_changes_one_file(
    aligned: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("corpus.publish.release._SHORTEST", 1)
    publish(aligned, tmp_path / "uno", Tier.BRONZE)
    changed = replace(said(aligned.store.utterances()[0], "ana"), text="por la calle", words=())
    with aligned.store.transaction() as transaction:
        transaction.save([replace(changed, verdict=Verdict.CORRECTED)])
    publish(aligned, tmp_path / "dos", Tier.BRONZE)
    first, second = (
        {path.name: path.read_bytes() for path in (tmp_path / name / "data").iterdir()}
        for name in ("uno", "dos")
    )
    assert first.keys() == second.keys()
    assert sum(first[name] != second[name] for name in first) == 1


def test_opus_and_pointers(aligned: Workspace, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    publish(aligned, tmp_path / "opus", codec=Codec.OPUS)
    publish(aligned, tmp_path / "pointers", pointers=True)
    for name, there in (("opus", True), ("pointers", False)):
        for path in (tmp_path / name / "data").iterdir():
            for one in pq.read_table(path).to_pylist():
                assert bool(one["audio"]) is there
                assert not there or one["audio"]["path"] == f"{one['id']}.opus"
                assert not there or soundfile.info(io.BytesIO(one["audio"]["bytes"])).duration > 0


def test_no_split_shares_a_copla(aligned: Workspace, tmp_path: Path) -> None:
    shared = verse("que me lo den", source="z", rights="CC0")
    known = aligned.store.recordings()
    with aligned.store.transaction() as transaction:
        transaction.save([shared])
        for one in known[:4]:
            mine = replace(utterance(one, "que me lo den", 1.0), verse=shared.id)
            own = replace(utterance(one, f"ay {one.artist}", 4.0), tier=Tier.SILVER)
            both = (replace(mine, tier=Tier.SILVER), own)
            transaction.save([AlignedRecording(recording=one.id, utterances=both)])
    told = publish(aligned, tmp_path / "uno")
    (aside,) = told.set_aside
    assert aside.startswith("its copla is in ")
    rows = table(tmp_path / "uno").to_pylist()
    assert len(rows) == sum(told.rows.values())
    by_split = {
        path.name.split("-")[0]: pq_rows(path) for path in (tmp_path / "uno" / "data").iterdir()
    }
    coplas = [{one["copla"] for one in found} - {""} for found in by_split.values()]
    assert not any(a & b for i, a in enumerate(coplas) for b in coplas[i + 1 :])
    card_said = (tmp_path / "uno" / "README.md").read_text("utf-8")
    assert f"{told.set_aside[aside]} {aside}" in card_said


def pq_rows(path: Path) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    found: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return found


def test_an_earlier_test_set_stays(aligned: Workspace, tmp_path: Path) -> None:
    publish(aligned, tmp_path / "uno", Tier.BRONZE)
    publish(aligned, tmp_path / "dos", Tier.SILVER, fixed_test="uno")
    releases = {one.name: one for one in aligned.store.releases()}
    tests = [
        {one.utterance for one in releases[name].utterances if one.split == "test"}
        for name in ("uno", "dos")
    ]
    assert tests[1]
    assert tests[1] < tests[0]  # those that are silver
    with pytest.raises(PublishError, match="there is no release tres to take the test set of"):
        publish(aligned, tmp_path / "tres", fixed_test="tres")
