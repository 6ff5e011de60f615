from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import yaml
from hypothesis import given
from hypothesis import strategies as st

from corpus.errors import MediaError, PublishError
from corpus.media import FlacSamples, flac_bytes
from corpus.publish.card import CardFacts, card
from corpus.publish.dataset import features, row, write_split
from corpus.publish.splits import SPLITS, assign, groups_of
from corpus.publish.stage import publish
from corpus.records import Kind, Recording, Tier, Utterance, Word
from corpus.rows import AlignedRecording
from corpus.workspace import Workspace
from tests.corpus.made import recording, tone, utterance, verse

SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}
COPLA = verse("por la calle abajo", source="a", rights="CC0")

# ---- splits

SINGERS = st.sampled_from(["", "La Niña", "LA NINA", "El Otro", "Camarón", "Paco", "Manolo"])
SHARE = st.integers(0, 10)


@st.composite
def corpora(draw: st.DrawFn) -> tuple[list[Utterance], dict[str, Recording]]:
    recordings = [
        recording(f"cinta {i}", artist=draw(SINGERS)) for i in range(draw(st.integers(1, 12)))
    ]
    utterances = [
        utterance(
            draw(st.sampled_from(recordings)), f"verso {i}", float(i), draw(st.floats(0.1, 30))
        )
        for i in range(draw(st.integers(1, 30)))
    ]
    return utterances, {one.id: one for one in recordings}


@st.composite
def shares(draw: st.DrawFn) -> dict[str, float]:
    whole = [draw(SHARE) + 1, draw(SHARE), draw(SHARE)]
    return {name: part / sum(whole) for name, part in zip(SPLITS, whole, strict=True)}


@given(corpora(), shares())
def test_no_singer_is_divided(
    made: tuple[list[Utterance], dict[str, Recording]], wanted: dict[str, float]
) -> None:
    utterances, recordings = made
    split_of = assign(utterances, recordings, wanted)
    assert set(split_of) == {one.id for one in utterances}
    splits_of_group: dict[str, set[str]] = {}
    groups = groups_of(recordings.values())
    for one in utterances:
        group = groups[one.recording]
        splits_of_group.setdefault(group, set()).add(split_of[one.id])
    assert all(len(splits) == 1 for splits in splits_of_group.values())
    # Each split that has a share is filled where there are groups enough.
    asked = [name for name in SPLITS if wanted[name] > 0]
    filled = set(split_of.values())
    assert filled <= set(asked)
    assert len(filled) == min(len(asked), len(splits_of_group))
    assert "train" in filled
    assert assign(reversed(utterances), recordings, wanted) == split_of


def test_the_shares_are_met_where_singers_are_many() -> None:
    recordings = [recording(f"cinta {i}", artist=f"voz {i}") for i in range(100)]
    utterances = [utterance(one, "ay", 0.0, 1.0 + i % 7) for i, one in enumerate(recordings)]
    split_of = assign(utterances, {one.id: one for one in recordings}, SHARES)
    total = sum(one.duration for one in utterances)
    for name, share in SHARES.items():
        mine = sum(one.duration for one in utterances if split_of[one.id] == name)
        assert mine / total == pytest.approx(share, abs=0.02)


@pytest.mark.parametrize("wrong", [{}, {"train": 0.5}, {"train": 0.9, "test": 0.2}, {"dev": 1.0}])
def test_shares_that_do_not_add_up(wrong: dict[str, float]) -> None:
    with pytest.raises(PublishError, match=r"add up to \d\.\d\d, not 1"):
        assign([], {}, wrong)


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
        first = replace(utterance(one, "por la calle\nabajo", 1.0), verse=COPLA.id)
        second = utterance(one, "ay ay ay", 3.0, 2.5)
        first, second = replace(first, tier=Tier.SILVER), replace(second, kind=Kind.QUEJIO)
        with workspace.store.transaction() as transaction:
            transaction.save(
                [one, COPLA, AlignedRecording(recording=one.id, utterances=(first, second))]
            )
    return workspace


@pytest.fixture
def loaded(aligned: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The dataset that was published, opened as anybody would."""
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    publish(aligned, tmp_path / "uno", shares=SHARES, min_tier=Tier.BRONZE)
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
    assert ("Paco", "CC BY 4.0", "") in rights
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
    publish(aligned, tmp_path / "uno", shares=SHARES)
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
    published = publish(aligned, tmp_path / "uno", shares=SHARES)
    assert dict(published.rows).keys() == {"train", "validation", "test"}
    assert sum(dict(published.rows).values()) == 5
    assert published.seconds == pytest.approx(5.0)
    assert published.left_out == (("below silver", 5),)
    (release,) = aligned.store.releases()
    assert (release.name, len(release.utterances)) == ("uno", 5)
    assert aligned.store.funnel().published == 5


@pytest.mark.parametrize(("tier", "n_rows"), [(Tier.BRONZE, 10), (Tier.SILVER, 5)])
def test_the_tier_is_the_bar(aligned: Workspace, tmp_path: Path, tier: Tier, n_rows: int) -> None:
    published = publish(aligned, tmp_path / "uno", shares=SHARES, min_tier=tier)
    assert sum(dict(published.rows).values()) == n_rows
    assert sum(dict(published.left_out).values()) == 10 - n_rows


# ---- what is refused, and leaves nothing


def test_nothing_to_publish(workspace: Workspace, aligned: Workspace, tmp_path: Path) -> None:
    with pytest.raises(PublishError, match="none of the 10 utterances is gold or better"):
        publish(aligned, tmp_path / "uno", shares=SHARES, min_tier=Tier.GOLD)
    empty = Workspace.create(tmp_path / "empty")
    with pytest.raises(PublishError, match="run `corpus align` first"):
        publish(empty, tmp_path / "uno", shares=SHARES)
    empty.store.close()
    assert not (tmp_path / "uno").exists()
    assert workspace.store.releases() == ()


def test_a_taken_folder(aligned: Workspace, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    publish(aligned, tmp_path / "empty", shares=SHARES)
    with pytest.raises(PublishError, match="is taken"):
        publish(aligned, tmp_path / "empty", shares=SHARES)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(PublishError, match="is taken"):
        publish(aligned, tmp_path / "file", shares=SHARES)


def test_a_release_is_not_changed(aligned: Workspace, tmp_path: Path) -> None:
    publish(aligned, tmp_path / "uno", shares=SHARES)
    with pytest.raises(PublishError, match="named uno exists with other utterances"):
        publish(aligned, tmp_path / "other" / "uno", shares=SHARES, min_tier=Tier.BRONZE)
    assert not (tmp_path / "other").exists()


def test_audio_that_is_gone_leaves_no_folder(aligned: Workspace, tmp_path: Path) -> None:
    aligned.media.flac(aligned.store.recordings()[2].id).unlink()
    (tmp_path / "out").mkdir()
    with pytest.raises(MediaError, match="collect it again"):
        publish(aligned, tmp_path / "out" / "uno", shares=SHARES)
    assert list((tmp_path / "out").iterdir()) == []
    assert aligned.store.releases() == ()


def test_a_full_disk_leaves_no_folder(
    aligned: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("corpus.publish.stage.write_split", full)
    (tmp_path / "out").mkdir()
    with pytest.raises(PublishError, match=r"cannot write .*uno: No space left"):
        publish(aligned, tmp_path / "out" / "uno", shares=SHARES)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_folder_that_cannot_be_made(aligned: Workspace, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(PublishError, match="cannot write"):
        publish(aligned, tmp_path / "file" / "uno", shares=SHARES)


# ---- rows


def test_a_clip_is_never_empty(aligned: Workspace) -> None:
    one = aligned.store.recordings()[0]
    short = Utterance(recording=one.id, start=1.0, end=1.0, text="")
    data = row(short, one, None, aligned.media)["audio"]["bytes"]
    assert soundfile.info(io.BytesIO(data)).frames == 1


def test_words_lie_in_the_clip(aligned: Workspace) -> None:
    one = aligned.store.recordings()[0]
    word = Word(text="ay", start=0.1 + 0.2, end=0.7)
    made = Utterance(recording=one.id, start=0.3, end=0.7, text="ay", words=(word,))
    (timed,) = row(made, one, None, aligned.media)["words"]
    assert (timed["start"], timed["end"]) == (pytest.approx(0.0), pytest.approx(0.4))


def test_shards(aligned: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corpus.publish.dataset._ROWS", 2)
    monkeypatch.setattr("corpus.publish.dataset._SHARD_BYTES", 1)
    recordings = {one.id: one for one in aligned.store.recordings()}
    rows = [
        row(one, recordings[one.recording], None, aligned.media)
        for one in aligned.store.utterances()
    ]
    assert write_split(rows[:5], tmp_path, "train") == 5
    assert write_split([], tmp_path, "test") == 0
    names = sorted(path.name for path in tmp_path.glob("*.parquet"))
    assert names == [f"train-0000{i}.parquet" for i in range(3)]
