from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from align.fit import Features, FitPlan, Target, fit
from align.fit_data import music_without_voice, read_notes, sung_speech, ultrastar
from align.head import HeadConfig
from align.labels import LABELS
from corpus.errors import TrainError

SONG = """#TITLE:Made
#BPM:300,0
#GAP:1000
: 0 10 5 To
: 10 10 5 do~
: 20 20 5  el
* 40 20 5 ~
- 70
F 100 20 5 ay\x20
: 130 10 5 —
E
"""
CONFIG = HeadConfig(encoder_width=6, encoder_layers=2, layers=(1, 2), width=8, dropout=0.0)


def test_syllables_become_words_with_their_times() -> None:
    first, second = read_notes(SONG)
    assert [w.text for w in (*first, *second)] == ["Todo", "el", "ay"]
    assert [w.start for w in (*first, *second)] == pytest.approx([1.0, 2.0, 6.0])
    assert [w.end for w in (*first, *second)] == pytest.approx([2.0, 4.0, 7.0])


def test_a_song_without_tempo_raises() -> None:
    with pytest.raises(TrainError, match="has no #BPM"):
        read_notes(": 0 10 5 ay\n")


def write_song(folder: Path, name: str) -> None:
    (folder / name).mkdir()
    (folder / name / "song.txt").write_text(SONG, "utf-8")
    tone = 0.1 * np.sin(np.arange(16000 * 13) / 10)
    soundfile.write(str(folder / name / "audio.ogg"), tone, 16000)


def test_songs_are_read_but_for_those_left_out(tmp_path: Path) -> None:
    write_song(tmp_path, "one")
    write_song(tmp_path, "two")
    (song,) = ultrastar(tmp_path, ["two"])
    assert (song.name, len(song.lines)) == ("one", 2)
    assert len(song.samples) == pytest.approx(16000 * 13, abs=2)
    (rest,) = music_without_voice(tmp_path, [song])
    assert len(rest) / 16000 == pytest.approx(13 - 7 - 0.6, abs=0.01)


def test_a_folder_without_songs_or_audio_raises(tmp_path: Path) -> None:
    with pytest.raises(TrainError, match="holds no UltraStar songs"):
        list(ultrastar(tmp_path))
    write_song(tmp_path, "one")
    (tmp_path / "one" / "audio.ogg").write_bytes(b"nothing")
    with pytest.raises(TrainError, match="cannot be decoded"):
        list(ultrastar(tmp_path))
    (tmp_path / "one" / "audio.ogg").unlink()
    with pytest.raises(TrainError, match="has no audio file"):
        list(ultrastar(tmp_path))


def test_speech_is_slowed_joined_and_laid_over_music(tmp_path: Path) -> None:
    tone = 0.1 * np.sin(np.arange(16000) / 10)
    soundfile.write(str(tmp_path / "a.ogg"), tone, 16000)
    rows = "file_name,transcription\na.ogg,Una rana.\na.ogg,Cuesta 3 euros\na.ogg,Un mirlo.\n"
    (tmp_path / "metadata.csv").write_text(rows, "utf-8")
    (made,) = sung_speech(tmp_path, [np.ones(16000, np.float32)], random.Random(0))
    assert sorted(line[0].text for line in made.lines) == ["Un mirlo.", "Una rana."]
    for (word,) in made.lines:
        assert 0.9 <= word.end - word.start <= 2.2
    assert made.lines[1][0].start > made.lines[0][0].end
    assert np.abs(made.samples).max() <= 1


def easy(n_frames: int = 600) -> Features:
    """States that say plainly which of two letters is sung."""
    states = np.zeros((n_frames, 2, 6), np.float16)
    lines = []
    for k, first in enumerate(range(10, n_frames - 10, 8)):
        states[first : first + 5, :, k % 2] = 5
        label = LABELS.index("ao"[k % 2])
        lines.append((Target((label,), first / 50, first / 50 + 0.1),))
    return Features(states=states, lines=tuple(lines), tolerance=0.1, weight=1.0)


def test_a_head_learns_and_the_same_seed_gives_the_same_head() -> None:
    told: list[float] = []
    plan = FitPlan(steps=60, batch=2, rate=1e-2, warm_up=5)
    head = fit([easy()], CONFIG, plan, lambda _, loss: told.append(loss))
    assert np.mean(told[-5:]) < 0.3 * np.mean(told[:5])
    again = fit([easy()], CONFIG, plan)
    pairs = zip(head.state_dict().values(), again.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_nothing_to_train_on_raises() -> None:
    nothing = Features(
        states=np.zeros((100, 2, 6), np.float16), lines=(), tolerance=0.1, weight=1.0
    )
    with pytest.raises(TrainError, match="nothing to train on"):
        fit([nothing], CONFIG, FitPlan(steps=1))


def test_lines_that_never_fit_raise() -> None:
    long = Features(
        states=np.zeros((100, 2, 6), np.float16),
        lines=((Target((1,), 0.0, 60.0),),),
        tolerance=0.1,
        weight=1.0,
    )
    with pytest.raises(TrainError, match="too short or too long"):
        fit([long], CONFIG, FitPlan(steps=1))
