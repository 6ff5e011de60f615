from __future__ import annotations

from pathlib import Path

import pytest

from corpus.errors import ModelError, TrainError
from tests.train.made import row, write_dataset
from train.evaluate import evaluate
from train.metrics import score
from train.writer import Writer


def test_a_split_is_judged_as_a_whole_by_palo_and_by_singer(
    dataset: Path, tiny_whisper: Path, capfd: pytest.CaptureFixture[str]
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
    assert capfd.readouterr() == ("", "")


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


def test_forbidden_tokens_are_never_answered_and_an_answer_may_be_empty(
    tiny_whisper: Path,
) -> None:
    import torch

    forbidden = Writer(tiny_whisper, device="cpu")._forbidden
    forbidden.set_begin_index(4)
    scores = torch.zeros(1, 51_865)
    first = forbidden(torch.zeros(1, 4), scores)[0]
    later = forbidden(torch.zeros(1, 5), scores)[0]
    blank, end, start = 220, 50_257, 50_258
    assert first[[blank, start]].tolist() == [-torch.inf, -torch.inf]
    assert later[[blank, start]].tolist() == [0.0, -torch.inf]
    assert first[end] == 0.0  # where nothing is sung, nothing need be written
    assert scores.count_nonzero() == 0
