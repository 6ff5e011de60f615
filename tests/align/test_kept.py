from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from align.emissions import Heard
from align.kept import Kept, compacted
from align.labels import LABELS
from corpus.errors import DiskFullError
from corpus.media import FlacSamples, flac_bytes
from tests.align.toys import ToyModel, noise, sung


class Counting(ToyModel):
    """Counts how often it listens."""

    times = 0

    def hear(self, *arguments: object) -> Heard:
        self.times += 1
        return super().hear(*arguments)  # type: ignore[arg-type]  # passed on


@pytest.fixture
def samples(tmp_path: Path) -> FlacSamples:
    path = tmp_path / ("ab" * 32 + ".flac")
    path.write_bytes(flac_bytes(noise(3.0).read(0, 48_000)))
    return FlacSamples(path)


def model() -> Counting:
    return Counting(sung(3.0, [("pena", 1.0, 2.0)]))


def test_the_second_time_is_the_first(tmp_path: Path, samples: FlacSamples) -> None:
    listening = model()
    first = Kept(listening, tmp_path / "heard").hear(samples)
    second = Kept(listening, tmp_path / "heard").hear(samples)
    assert listening.times == 1
    assert np.array_equal(first.letters, second.letters)
    assert np.array_equal(first.voice, second.voice)
    assert first.letters.shape == (150, len(LABELS))
    assert first.letters.dtype == first.voice.dtype == np.float32


def test_another_model_listens_for_itself(tmp_path: Path, samples: FlacSamples) -> None:
    one, other = model(), model()
    other.name = "another"
    Kept(one, tmp_path).hear(samples)
    Kept(other, tmp_path).hear(samples)
    assert other.times == 1


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 half of it", None])
def test_what_is_damaged_is_heard_again(
    tmp_path: Path, samples: FlacSamples, damage: bytes | None
) -> None:
    listening = model()
    kept = Kept(listening, tmp_path / "heard")
    wanted = kept.hear(samples)
    (path,) = (tmp_path / "heard").rglob("*.npz")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    assert np.array_equal(kept.hear(samples).letters, wanted.letters)
    assert listening.times == 2
    assert path.read_bytes() == whole


def test_what_is_of_another_shape_is_heard_again(tmp_path: Path, samples: FlacSamples) -> None:
    listening = model()
    kept = Kept(listening, tmp_path / "heard")
    kept.hear(samples)
    (path,) = (tmp_path / "heard").rglob("*.npz")
    np.savez_compressed(path, letters=np.zeros((150, 3), np.uint8), voice=np.zeros(150, np.uint8))
    assert kept.hear(samples).letters.shape == (150, len(LABELS))


def test_audio_without_a_name_is_not_kept(tmp_path: Path) -> None:
    listening = model()
    kept = Kept(listening, tmp_path)
    kept.hear(noise(3.0))
    kept.hear(noise(3.0))
    assert listening.times == 2
    assert list(tmp_path.iterdir()) == []


def test_no_room(tmp_path: Path, samples: FlacSamples, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises(DiskFullError):
        Kept(model(), tmp_path / "heard").hear(samples)
    assert not [p for p in (tmp_path / "heard").rglob("*") if p.is_file()]


@given(st.floats(-60, 0), st.floats(0, 1))
def test_steps_are_fine_where_it_counts(score: float, chance: float) -> None:
    heard = Heard(letters=np.full((1, 1), score, np.float32), voice=np.full(1, chance, np.float32))
    kept = compacted(heard)
    wanted = max(score, -25.0)
    assert abs(float(kept.letters[0, 0]) - wanted) <= 0.001 + 0.02 * np.sqrt(-wanted)
    assert abs(float(kept.voice[0]) - chance) <= 0.5 / 255 + 1e-6
    assert kept.letters[0, 0] <= 0
