from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from corpus.errors import ModelError, TrainError
from corpus.media import ArraySamples
from tests.train.made import row, tone, write_dataset
from train.evaluate import evaluate
from train.metrics import score
from train.transcribe import transcribe
from train.writer import Writer


def test_a_split_is_judged_as_a_whole_by_palo_and_by_singer(
    dataset: Path, tiny_whisper: Path, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[tuple[str, int, int]] = []
    found = evaluate(
        tiny_whisper,
        dataset,
        batch_size=2,
        device="cpu",
        progress=lambda *news: told.append(news),
    )
    assert [one.reference for one in found.utterances] == [
        "ay pena penita",
        "por la calle abajo",
        "",
    ]
    texts = [one.hypothesis for one in found.utterances]
    assert found.scores == score([one.reference for one in found.utterances], texts)
    assert (found.scores.utterances, found.scores.empty_references) == (2, 1)
    assert set(found.by_palo) == {"soleá", "bulerías"}
    assert found.by_palo["soleá"].words == 3
    assert found.by_singer["una"].wer == found.scores.wer
    assert found.by_singer["otra"].wer is None
    assert found.left_out == {}
    assert found.seconds > 0
    assert told[-1] == ("reading test", 3, 3)
    assert caplog.records == []


def test_a_limit_and_what_is_left_out(tmp_path: Path, tiny_whisper: Path) -> None:
    rows = [row(audio=b"x"), row("", 1.0), row("uno"), row("dos"), row("tres")]
    folder = write_dataset(tmp_path / "d", validation=rows)
    found = evaluate(tiny_whisper, folder, split="validation", limit=2, device="cpu")
    assert [one.row for one in found.utterances] == [2, 3]
    assert found.left_out == {"audio that cannot be read": 1, "no text": 1}


def test_a_split_that_is_not_there_or_of_no_use(tmp_path: Path, tiny_whisper: Path) -> None:
    folder = write_dataset(tmp_path / "d", test=[row("")])
    with pytest.raises(TrainError, match=r"no split 'train' \(it has test\)"):
        evaluate(tiny_whisper, folder, split="train", device="cpu")
    with pytest.raises(TrainError, match="can be judged; left out: 1 × no text"):
        evaluate(tiny_whisper, folder, device="cpu")


def test_a_model_or_language_that_is_not_there(tmp_path: Path, tiny_whisper: Path) -> None:
    with pytest.raises(ModelError, match="holds no Whisper"):
        Writer(tmp_path, device="cpu")
    with pytest.raises(ModelError, match=r"no token <\|caló\|>"):
        Writer(tiny_whisper, language="caló", device="cpu")


def test_real_whisper_says_nothing_of_silence_and_times_lie_in_the_recording(
    whisper_base_hf: Path, caplog: pytest.LogCaptureFixture
) -> None:
    writer = Writer(whisper_base_hf, device="cpu")
    assert isinstance(writer.write([tone(1.0)])[0], str)
    told: list[tuple[str, int, int]] = []
    sound = np.concatenate([tone(3.0), np.zeros(30 * 16_000, np.float32)])
    found = transcribe(
        whisper_base_hf,
        ArraySamples(sound),
        device="cpu",
        progress=lambda *news: told.append(news),
    )
    assert all(0 <= part.start <= part.end <= 33.0 for part in found)
    assert all(part.text for part in found)
    assert told[0] == ("transcribing", 0, 33)
    assert caplog.records == []


def test_a_recording_without_sound(tiny_whisper: Path) -> None:
    with pytest.raises(TrainError, match="no sound"):
        transcribe(tiny_whisper, ArraySamples(np.zeros(0, np.float32)))
