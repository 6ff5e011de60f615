from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from align.augment import Mixing, song_change, spoken, sung_speech, without_voice
from corpus.errors import TrainError
from tests.align.timed_made import RATE, write_speech

HUM = np.full(RATE, 0.05, np.float32)


def test_speech_is_slowed_joined_and_laid_over_music(tmp_path: Path) -> None:
    write_speech(tmp_path, ("Una rana.", "Cuesta 3 euros", "Un mirlo."))
    (made,) = sung_speech(tmp_path, [HUM], Mixing(), np.random.default_rng(0))
    assert sorted(line[0].text for line in made.lines) == ["Un mirlo.", "Una rana."]
    for (word,) in made.lines:
        assert 0.7 <= word.end - word.start <= 2.7
    assert made.lines[1][0].start > made.lines[0][0].end
    assert np.abs(made.samples).max() <= 1
    assert made.language == "es"
    first, last = made.lines[0][0].start, made.lines[-1][0].end
    assert all(first - 0.1 <= s < e <= last + 0.1 for s, e in made.voice)


def test_the_same_numbers_give_the_same_speech(tmp_path: Path) -> None:
    write_speech(tmp_path)
    one, other, third = (
        next(sung_speech(tmp_path, [HUM], Mixing(melisma=True), np.random.default_rng(seed)))
        for seed in (3, 3, 4)
    )
    assert np.array_equal(one.samples, other.samples)
    assert one.lines == other.lines
    assert one.lines != third.lines


def test_without_beds_there_is_no_music(tmp_path: Path) -> None:
    write_speech(tmp_path, ("Una rana.",))
    for music in ([HUM], []):
        bare = next(sung_speech(tmp_path, music, Mixing(beds=None), np.random.default_rng(0)))
        pause = int(bare.lines[0][0].start * RATE)
        assert np.abs(bare.samples[:pause]).max() == 0


def test_the_level_of_a_bed_is_below_the_voice(tmp_path: Path) -> None:
    write_speech(tmp_path, ("Una rana.",))
    mixing = Mixing(beds=(20.0, 20.0))
    found = [
        next(sung_speech(tmp_path, [HUM], mixing, np.random.default_rng(seed))) for seed in range(6)
    ]
    beds = {round(float(np.abs(one.samples[:100]).max()), 3) for one in found}
    assert beds <= {0.0, 0.01}  # 20 dB below 0.1, or now and then none
    assert 0.01 in beds


def test_minutes_are_filled_one_after_the_other(tmp_path: Path) -> None:
    write_speech(tmp_path, tuple(f"Una rana y otra, {'no' * k}" for k in range(45)))
    made = list(sung_speech(tmp_path, [], Mixing(beds=None), np.random.default_rng(0)))
    assert [one.name for one in made] == ["speech 0", "speech 1"]
    assert len(made[0].samples) / RATE > 58
    assert sum(len(one.lines) for one in made) == 45
    assert made[1].lines[0][0].start < 2


def test_music_has_no_words_and_no_voice() -> None:
    (one,) = without_voice([HUM])
    assert (one.lines, one.voice) == ((), ())


def test_songs_change_within_bounds() -> None:
    rng = np.random.default_rng(0)
    found = np.array([song_change(rng) for _ in range(100)])
    assert found[:, 0].min() >= 0.75
    assert found[:, 0].max() <= 1.1
    assert np.abs(found[:, 1]).max() <= 3


@pytest.mark.parametrize("content", [None, "a,b\n1,2\n"])
def test_a_folder_without_metadata_raises(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "metadata.csv").write_text(content, "utf-8")
    with pytest.raises(TrainError, match=r"it needs a metadata\.csv"):
        spoken(tmp_path)


def test_speech_that_cannot_be_decoded_raises(tmp_path: Path) -> None:
    write_speech(tmp_path, ("Una rana.",))
    (tmp_path / "0.wav").write_bytes(b"nothing")
    with pytest.raises(TrainError, match="cannot be decoded"):
        list(sung_speech(tmp_path, [], Mixing(), np.random.default_rng(0)))
