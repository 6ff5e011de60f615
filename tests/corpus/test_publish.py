"""Utterances become a dataset that opens; what is refused leaves nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corpus.errors import MediaError, PublishError
from corpus.media import FlacSamples
from corpus.publish.columns import features
from corpus.publish.tally import shared
from corpus.records import (
    Tier,
)
from corpus.text import fold
from corpus.workspace import Workspace
from tests.corpus.publishing import publish

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
