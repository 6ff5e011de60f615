from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from corpus.errors import ModelError, TrainError
from corpus.show import dumps
from tests.train.made import flac, row, tone, write_dataset
from train import evaluate as judging
from train.evaluate import How, evaluate
from train.findings import Report
from train.report import as_plain, by_group, compared, questions
from train.writer import Writer

HOW = How(device="cpu")


class Parrot:
    """A backend that answers from a list, or with one word for each second of sound."""

    def __init__(self, word: str = "ay") -> None:
        self.word = word
        self.batches: list[list[int]] = []

    def write(self, sounds: list[NDArray[np.float32]]) -> list[str]:
        seconds = [len(sound) // 16_000 for sound in sounds]
        self.batches.append(seconds)
        return [" ".join([self.word] * n) for n in seconds]


@pytest.fixture
def parrots(monkeypatch: pytest.MonkeyPatch) -> dict[str, Parrot]:
    """One for each folder, by name; what is asked for is not looked at."""
    kept: dict[str, Parrot] = {}

    def opened(name: str, folder: Path, **_how: Any) -> Parrot:
        return kept.setdefault(f"{folder.name} {name}", Parrot(folder.name))

    monkeypatch.setattr(judging, "open_backend", opened)
    return kept


def told(dataset: Path, **how: Any) -> Report:
    """Two models judged: one that says "ay" for each second, one that says "pena"."""
    return evaluate({"ay": Path("ay"), "pena": Path("pena")}, dataset, replace(HOW, **how))


def test_a_split_is_judged_as_a_whole_and_by_group(
    dataset: Path, tiny_whisper: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    news: list[tuple[str, int, int]] = []
    found = evaluate(
        {"tiny": tiny_whisper},
        dataset,
        replace(HOW, batch_size=2),
        progress=lambda *one: news.append(one),
    )
    (finding,) = found.findings
    assert [one.reference for one in finding.utterances] == [
        "ay pena penita",
        "por la calle abajo",
        "",
    ]
    assert (finding.as_sung.n, finding.silent) == (7, 1)
    errors = finding.substitutions + finding.deletions + finding.insertions
    assert finding.as_sung.value == errors / 7
    assert errors == sum(one.errors for one in finding.utterances)
    by = {(one.by, one.value): one for one in finding.groups}
    assert by["palo", "soleá"].wer.n == 3
    assert by["singer", "una"].wer == finding.as_sung
    assert finding.left_out == ()
    assert finding.seconds > 0
    assert finding.audio_seconds == pytest.approx(6.0)
    assert news[-1] == ("judging tiny", 3, 3)
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("parrots")
def test_models_side_by_side(tmp_path: Path) -> None:
    test = [
        row("ay ay", 2.0, "uno"),
        row("pena", 1.0, "dos"),
        row("", 3.0, "dos", kind="falseta"),
        row("mare", 1.0, "dos", kind="quejío"),
    ]
    found = told(write_dataset(tmp_path / "d", test=test))
    one, other = found.findings
    assert (one.as_sung.value, other.as_sung.value) == (2 / 4, 3 / 4)
    assert one.change is None
    assert other.change is not None
    assert other.change.value == pytest.approx(1 / 4)
    assert (other.change.low, other.change.high) == (-0.5, 1.0)
    assert (one.silent, one.invented_words) == (1, 3)
    assert (one.quejio_missed.value, one.quejio_missed.n) == (0.0, 3)
    assert "2 recordings are few: another 2 may tell otherwise" in found.notes
    assert any("differs enough" in note for note in found.notes)
    rows = compared(found)
    assert [cells["change"] for cells in rows] == [None, 25.0]
    assert rows[0]["95 %"] == "0.000-1.000"
    assert questions(one) == ["palo", "singer", "kind"]
    assert [cells["kind"] for cells in by_group(one, "kind")] == ["letra", "quejío"]


@pytest.mark.usefixtures("parrots")
def test_as_json_the_old_names_stand(tmp_path: Path) -> None:
    found = told(write_dataset(tmp_path / "d", test=[row("ay", 1.0)]))
    plain = json.loads(dumps(as_plain(found)))["models"][0]
    assert {name: plain[name] for name in ("model", "split", "utterances", "words")} == {
        "model": "ay",
        "split": "test",
        "utterances": 1,
        "words": 1,
    }
    assert (plain["wer"], plain["cer"], plain["left_out"]) == (0.0, 0.0, {})


def test_clips_of_like_length_go_together(tmp_path: Path, parrots: dict[str, Parrot]) -> None:
    lengths = [4.0, 1.0, 3.0, 2.0]
    rows = [row("ay", seconds, str(seconds), end=seconds) for seconds in lengths]
    folder = write_dataset(tmp_path / "d", test=[{**one, "end": str(one["end"])} for one in rows])
    found = told(folder, batch_size=2)
    assert parrots["ay transformers"].batches == [[1, 2], [3, 4]]
    assert [len(one.hypothesis.split()) for one in found.findings[0].utterances] == [4, 1, 3, 2]


def test_what_is_left_out_is_counted(tmp_path: Path, parrots: dict[str, Parrot]) -> None:
    rows = [row(audio=b"x"), row("", 1.0), row("uno", 1.0), row("dos", 0.05)]
    found = told(write_dataset(tmp_path / "d", validation=rows), split="validation")
    assert [one.row for one in found.findings[0].utterances] == [2]
    assert dict(found.findings[1].left_out) == {
        "audio that cannot be read": 1,
        "shorter than 0.1 s": 1,
        "no text": 1,
    }
    assert set(parrots) == {"ay transformers", "pena transformers"}


@pytest.mark.usefixtures("parrots")
def test_a_sample_is_spread_over_the_split(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "d", test=[row("ay", 1.0, str(i)) for i in range(9)])
    found = told(folder, sample=3)
    assert [one.row for one in found.findings[0].utterances] == [0, 3, 6]
    assert "a sample of 3 of 9 utterances was judged" in found.notes


def test_the_other_backend_is_compared(tmp_path: Path, parrots: dict[str, Parrot]) -> None:
    folder = write_dataset(tmp_path / "d", test=[row("ay", 1.0), row("ay", 1.0)])
    parrots["ay faster-whisper"] = Parrot("oh")
    found = told(folder, compare=True)
    assert [one.agreement for one in found.findings] == [100.0, 0.0]
    assert any("ay: transformers and faster-whisper DO NOT agree" in one for one in found.notes)
    assert any("pena: transformers and faster-whisper agree" in one for one in found.notes)


@pytest.mark.usefixtures("parrots")
def test_labels_in_another_language_are_told(tmp_path: Path) -> None:
    english = "the train that I ride on is a hundred coaches long and you can hear the whistle blow"
    folder = write_dataset(tmp_path / "d", test=[row(f"{english} {i}", 1.0) for i in range(30)])
    assert any("look like english ('en')" in note for note in told(folder).notes)
    assert not any("look like" in note for note in told(folder, language="en").notes)


@pytest.mark.usefixtures("parrots")
def test_sound_of_another_rate_is_taken_as_it_sounds(tmp_path: Path) -> None:
    audio = flac(tone(2.0, rate=44_100), 44_100)
    (finding, _) = told(write_dataset(tmp_path / "d", test=[row("ay ay", audio=audio)])).findings
    assert finding.as_sung.value == 0.0
    assert finding.audio_seconds == pytest.approx(2.0, abs=0.01)


@pytest.mark.usefixtures("parrots")
def test_recordings_that_nobody_names(tmp_path: Path) -> None:
    rows = [row("ay", 1.0), row("no", 1.0)]
    for one in rows:
        del one["recording"]
    found = told(write_dataset(tmp_path / "d", test=rows))
    assert "the dataset names no recordings: intervals are drawn over utterances" in found.notes
    assert found.findings[0].as_sung.recordings == 2


def test_a_split_that_is_not_there_or_of_no_use(tmp_path: Path, tiny_whisper: Path) -> None:
    folder = write_dataset(tmp_path / "d", test=[row("")], train=[row(audio=b"x")])
    with pytest.raises(TrainError, match=r"no split 'dev' \(it has train, test\)"):
        evaluate({"tiny": tiny_whisper}, folder, replace(HOW, split="dev"))
    with pytest.raises(TrainError, match="can be judged; left out: 1 × no text"):
        evaluate({"tiny": tiny_whisper}, folder, HOW)
    with pytest.raises(TrainError, match="left out: 1 × audio that cannot be read"):
        evaluate({"tiny": tiny_whisper}, folder, replace(HOW, split="train"))


@pytest.mark.parametrize("backend", ["transformers", "faster-whisper"])
def test_a_checkpoint_that_is_no_whisper(
    dataset: Path, tiny_whisper: Path, tmp_path: Path, backend: Any
) -> None:
    how = replace(HOW, backend=backend)
    with pytest.raises(ModelError, match="holds no Whisper"):
        evaluate({"none": tmp_path}, dataset, how)
    other = tmp_path / "bert"
    shutil.copytree(tiny_whisper, other)
    (other / "config.json").write_text('{"model_type": "bert", "hidden_size": 16}')
    with pytest.raises(ModelError, match=r"holds no Whisper in .* of type 'bert'"):
        evaluate({"bert": other}, dataset, how)
    with pytest.raises(ModelError, match=r"no token <\|caló\|>"):
        evaluate({"tiny": tiny_whisper}, dataset, replace(how, language="caló"))


def test_weights_that_are_cut_short(dataset: Path, tiny_whisper: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(tiny_whisper, damaged)
    weights = damaged / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    with pytest.raises(ModelError, match="holds no Whisper"):
        evaluate({"damaged": damaged}, dataset, HOW)


def test_forbidden_tokens_are_never_answered_and_an_answer_may_be_empty(
    tiny_whisper: Path,
) -> None:
    import torch

    forbidden = Writer.open(tiny_whisper, device="cpu")._forbidden
    forbidden.set_begin_index(4)
    scores = torch.zeros(1, 51_865)
    first = forbidden(torch.zeros(1, 4), scores)[0]
    later = forbidden(torch.zeros(1, 5), scores)[0]
    blank, end, start = 220, 50_257, 50_258
    assert first[[blank, start]].tolist() == [-torch.inf, -torch.inf]
    assert later[[blank, start]].tolist() == [0.0, -torch.inf]
    assert first[end] == 0.0  # where nothing is sung, nothing need be written
    assert scores.count_nonzero() == 0
