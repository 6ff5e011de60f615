from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from corpus.errors import MediaError, TrainError
from tests.train.made import flac, row, tone, write_dataset
from train.data import open_splits, read_sound
from train.guards import LeftOut, another_language, check_leak, usable


def test_a_recording_in_two_splits_is_a_leak() -> None:
    check_leak({"train": {"a", "b"}, "validation": {"c"}, "test": {"d"}})
    with pytest.raises(TrainError, match="1 recordings are in both validation and test"):
        check_leak({"train": {"a"}, "validation": {"c", "x"}, "test": {"x", "d"}})


def test_without_recordings_the_same_sound_in_two_splits_is_a_leak(tmp_path: Path) -> None:
    rows = [{"audio": row(seconds=s)["audio"], "text": "ay"} for s in (1.0, 2.0, 1.0)]
    splits = open_splits(write_dataset(tmp_path / "d", train=rows[:2], test=rows[2:]))
    with pytest.raises(TrainError, match="in both train and test"):
        check_leak({name: split.sources() for name, split in splits.items()})


def test_rows_go_by_with_their_sound_and_the_rest_is_counted(tmp_path: Path) -> None:
    rows = [row("  ay\n pena "), row(" "), row("", kind="nothing"), row(audio=b"x")]
    split = open_splits(write_dataset(tmp_path / "d", test=rows))["test"]
    left_out = LeftOut()
    told: list[tuple[str, int, int]] = []
    found = list(usable(split, left_out, lambda *news: told.append(news)))
    assert [(r.number, r.text, r.nothing_sung) for r, _ in found] == [
        (0, "ay pena", False),
        (2, "", True),
    ]
    assert [len(sound) for _, sound in found] == [32_000, 32_000]
    assert left_out.summary() == {"audio that cannot be read": 1, "no text": 1}
    assert str(left_out) == "1 × audio that cannot be read, 1 × no text"
    assert str(LeftOut()) == "none"
    assert told[-1] == ("reading test", 4, 4)


def test_any_dataset_with_audio_and_text_will_do(tmp_path: Path) -> None:
    rows = [{"audio": row()["audio"], "text": "ay"}, {"audio": row()["audio"], "text": None}]
    split = open_splits(write_dataset(tmp_path / "d", train=rows))["train"]
    assert len(split) == 2
    assert [(r.text, r.recording, r.palo, r.start) for r in split.rows()] == [
        ("ay", "", "", 0.0),
        ("", "", "", 0.0),
    ]
    assert len(split.digest()) == 64


def test_a_dataset_without_text(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "d", train=[{"audio": row()["audio"], "letra": "ay"}])
    with pytest.raises(TrainError, match=r"no column 'text' \(it has audio, letra\)"):
        open_splits(folder)


def test_a_folder_without_a_dataset(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "empty", tmp_path / "missing" / "too"):
        with pytest.raises(TrainError, match="cannot be opened as a dataset") as caught:
            open_splits(folder)
        assert "\n" not in str(caught.value)


def test_a_full_disk_keeps_a_language_from_being_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from py3langid.langid import LanguageIdentifier

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(LanguageIdentifier, "from_model_file", full)
    assert another_language(["ay pena"] * 24, "es") is None  # too few words to ask
    told = another_language(["ay pena"] * 30, "es")
    assert told == "whether the texts are in 'es' cannot be told: No space left on device"


def test_sound_is_read_from_bytes_or_a_path_and_brought_to_16_khz(tmp_path: Path) -> None:
    sound = tone(1.0)
    path = tmp_path / "a.flac"
    path.write_bytes(flac(sound))
    for cell in ({"bytes": flac(sound), "path": None}, {"bytes": None, "path": str(path)}):
        assert np.abs(read_sound(cell) - sound).max() < 1e-3
    slow = read_sound({"bytes": flac(tone(1.0, rate=8000), rate=8000), "path": None})
    assert len(slow) == 16_000
    assert np.abs(slow[4000:12_000] - sound[4000:12_000]).max() < 0.02


def test_two_channels_become_one() -> None:
    both = np.stack([tone(0.5), np.zeros(8000, np.float32)], axis=1)
    found = read_sound({"bytes": flac(both), "path": None})
    assert found.shape == (8000,)
    assert np.abs(found - both[:, 0] / 2).max() < 1e-3


@pytest.mark.parametrize(
    ("data", "path"), [(None, None), (b"", None), (flac(tone(2.0))[:9000], None), (None, "/no/a")]
)
def test_sound_that_is_damaged_or_missing(data: bytes | None, path: str | None) -> None:
    with pytest.raises(MediaError):
        read_sound({"bytes": data, "path": path})
