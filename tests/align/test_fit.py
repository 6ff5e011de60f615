from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from align.fit import Checkpoint, Features, FitPlan, Target, fit, targets
from align.fit_data import music_without_voice, read_notes, ultrastar
from align.head import Head, HeadConfig
from align.labels import LABELS
from corpus.errors import TrainError
from tests.align.timed_made import ULTRASTAR, write_ultrastar

CONFIG = HeadConfig(encoder_width=6, encoder_layers=2, layers=(1, 2), width=8, dropout=0.0)
SILENT = np.zeros(100, np.int8)


def test_syllables_become_words_with_their_times() -> None:
    first, second = read_notes(ULTRASTAR)
    assert [w.text for w in (*first, *second)] == ["Todo", "el", "ay"]
    assert [w.start for w in (*first, *second)] == pytest.approx([1.0, 2.0, 6.0])
    assert [w.end for w in (*first, *second)] == pytest.approx([2.0, 4.0, 7.0])


def test_a_song_without_tempo_raises() -> None:
    with pytest.raises(TrainError, match="has no #BPM"):
        read_notes(": 0 10 5 ay\n")


def test_songs_are_read_but_for_those_left_out(tmp_path: Path) -> None:
    write_ultrastar(tmp_path, "one")
    write_ultrastar(tmp_path, "two")
    (song,) = ultrastar(tmp_path, ["two"])
    assert (song.name, len(song.lines)) == ("one", 2)
    assert len(song.samples) == pytest.approx(16000 * 13, abs=2)
    (rest,) = music_without_voice(tmp_path, [song])
    assert len(rest) / 16000 == pytest.approx(13 - 7 - 0.6, abs=0.01)


def test_a_folder_without_songs_or_audio_raises(tmp_path: Path) -> None:
    with pytest.raises(TrainError, match="holds no UltraStar songs"):
        list(ultrastar(tmp_path))
    write_ultrastar(tmp_path, "one")
    (tmp_path / "one" / "audio.ogg").write_bytes(b"nothing")
    with pytest.raises(TrainError, match="cannot be decoded"):
        list(ultrastar(tmp_path))
    (tmp_path / "one" / "audio.ogg").unlink()
    with pytest.raises(TrainError, match="has no audio file"):
        list(ultrastar(tmp_path))


def test_a_song_at_another_tempo_has_its_words_elsewhere(tmp_path: Path) -> None:
    write_ultrastar(tmp_path, "one")
    (song,) = ultrastar(tmp_path, change=lambda: (0.5, 2.0))
    assert song.name == "one x0.50 +2.0"
    assert [w.start for line in song.lines for w in line] == pytest.approx([2.0, 4.0, 12.0])
    assert len(song.samples) / 16000 == pytest.approx(26, abs=0.2)
    assert song.voice[0] == pytest.approx((2.0, 8.0))


def test_voice_is_not_known_where_it_is_unsure(tmp_path: Path) -> None:
    write_ultrastar(tmp_path, "one")
    (song,) = ultrastar(tmp_path)
    states = np.zeros((650, 2, 6), np.float16)
    voice = targets(replace(song, unsure=((8.0, 9.0),)), states, LABELS).voice
    known = targets(song, states, LABELS).voice
    assert (voice[400:450] == -1).all()
    assert (known[400:450] == 0).all()
    assert (voice[:400] == known[:400]).all()
    assert [known[25], known[100], known[325], known[600]] == [0, 1, 1, 0]


def easy(n_frames: int = 600) -> Features:
    """States that say plainly which of two letters is sung."""
    states = np.zeros((n_frames, 2, 6), np.float16)
    lines = []
    for k, first in enumerate(range(10, n_frames - 10, 8)):
        states[first : first + 5, :, k % 2] = 5
        label = LABELS.index("ao"[k % 2])
        lines.append((Target((label,), first / 50, first / 50 + 0.1),))
    return Features(
        states=states,
        lines=tuple(lines),
        voice=np.ones(n_frames, np.int8),
        tolerance=0.1,
        weight=1.0,
    )


def same(one: Head, other: Head) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_a_head_learns_and_the_same_seed_gives_the_same_head() -> None:
    told: list[float] = []
    plan = FitPlan(steps=60, batch=2, rate=1e-2, warm_up=5)
    head = fit([easy()], CONFIG, plan, lambda _, loss: told.append(loss))
    assert np.mean(told[-5:]) < 0.3 * np.mean(told[:5])
    assert same(head, fit([easy()], CONFIG, plan))
    assert not same(head, fit([easy()], CONFIG, replace(plan, seed=1)))


def test_music_alone_teaches_where_nobody_sings() -> None:
    music = replace(easy(), lines=(), voice=np.zeros(600, np.int8), weight=0.3)
    head = fit([easy(), music], CONFIG, FitPlan(steps=3, batch=4))
    assert all(tensor.isfinite().all() for tensor in head.state_dict().values())


class KilledError(Exception):
    pass


@pytest.mark.parametrize("killed_after", [3, 4, 9, 10])
def test_a_killed_training_carries_on_to_the_same_head(tmp_path: Path, killed_after: int) -> None:
    config = replace(CONFIG, dropout=0.2)  # which draws at random too
    plan = FitPlan(steps=10, batch=2, warm_up=3)
    checkpoint = Checkpoint(file=tmp_path / "work" / "state.pt", every=4)

    def kill(step: int, _: float) -> None:
        if step == killed_after:
            raise KilledError

    with pytest.raises(KilledError):
        fit([easy()], config, plan, kill, checkpoint)
    torch.rand(7)  # another process would have drawn other numbers
    steps: list[int] = []
    head = fit([easy()], config, plan, lambda step, _: steps.append(step), checkpoint)
    assert steps == list(range({3: 0, 4: 4, 9: 8, 10: 10}[killed_after] + 1, 11))
    assert same(head, fit([easy()], config, plan))
    assert [path.name for path in checkpoint.file.parent.iterdir()] == ["state.pt"]


@pytest.mark.parametrize("content", [b"", b"nothing", b"PK\x03\x04"])
def test_a_damaged_checkpoint_raises(tmp_path: Path, content: bytes) -> None:
    checkpoint = Checkpoint(file=tmp_path / "state.pt")
    checkpoint.file.write_bytes(content)
    with pytest.raises(TrainError, match="holds no state of this training"):
        fit([easy()], CONFIG, FitPlan(steps=1), None, checkpoint)


def test_the_checkpoint_of_another_head_raises(tmp_path: Path) -> None:
    checkpoint = Checkpoint(file=tmp_path / "state.pt")
    fit([easy()], CONFIG, FitPlan(steps=1, batch=1), None, checkpoint)
    with pytest.raises(TrainError, match="holds no state of this training"):
        fit([easy()], replace(CONFIG, width=16), FitPlan(steps=2), None, checkpoint)


def test_nothing_to_train_on_raises() -> None:
    nothing = Features(
        states=np.zeros((100, 2, 6), np.float16), lines=(), voice=SILENT, tolerance=0.1, weight=1.0
    )
    with pytest.raises(TrainError, match="nothing to train on"):
        fit([nothing], CONFIG, FitPlan(steps=1))


def test_lines_that_never_fit_raise() -> None:
    long = Features(
        states=np.zeros((100, 2, 6), np.float16),
        lines=((Target((1,), 0.0, 60.0),),),
        voice=SILENT,
        tolerance=0.1,
        weight=1.0,
    )
    with pytest.raises(TrainError, match="too short or too long"):
        fit([long], CONFIG, FitPlan(steps=1))
