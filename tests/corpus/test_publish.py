from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corpus.errors import MediaError, PublishError
from corpus.media import FlacSamples
from corpus.publish.columns import About, features, row, standard
from corpus.publish.splits import groups_of
from corpus.publish.tally import shared
from corpus.records import (
    Description,
    Features,
    Mark,
    Recording,
    Tier,
    Utterance,
    Word,
)
from corpus.text import fold
from corpus.workspace import Workspace
from tests.corpus.made import recording, utterance, verse
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
