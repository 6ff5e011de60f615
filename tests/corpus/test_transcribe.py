"""`corpus transcribe`: what is printed, what is written, what fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from align.aligner import Aligner
from corpus.media import Samples
from corpus.records import Segment
from tests.align.toys import ToyModel, sung
from tests.conftest import Cli
from tests.corpus.made import write_tone

LINES = (Segment(text="ay penita mía", start=1.8, end=4.2), Segment(text="olé", start=5.6, end=7.0))
SUNG = [("ay", 2.0, 2.4), ("penita", 2.6, 3.4), ("mia", 3.6, 4.0), ("ole", 6.0, 6.4)]


class Hears:
    """Hears the same in whatever it is given."""

    def transcribe(
        self, samples: Samples, progress: Callable[[float], None]
    ) -> tuple[Segment, ...]:
        assert samples.n_samples
        progress(1.0)
        return LINES


@pytest.fixture
def audio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A recording, and ears that know it."""
    place = "corpus.commands.transcribe"
    monkeypatch.setattr(f"{place}.drafter", lambda *_: Hears())
    monkeypatch.setattr(f"{place}.aligner_of", lambda *_: Aligner(ToyModel(sung(8.0, SUNG))))
    return write_tone(tmp_path / "soleá.wav", seconds=8.0)


def test_text_is_printed(cli: Cli, audio: Path) -> None:
    ran = cli("transcribe", audio)
    assert ran.code == 0
    first, second = ran.out.splitlines()
    assert first.startswith("[   2.0")
    assert first.endswith("] ay penita mía")
    assert second.endswith("] olé")


def test_words_have_times_unless_they_are_not_wanted(cli: Cli, audio: Path) -> None:
    told = cli("transcribe", audio, "--json").json
    assert told["duration"] == pytest.approx(8.0)
    assert [word["text"] for word in told["lines"][0]["words"]] == ["ay", "penita", "mía"]
    plain = cli("transcribe", audio, "--json", "--no-words").json["lines"]
    assert [(one["start"], one["end"], one["words"]) for one in plain] == [
        (1.8, 4.2, []),
        (5.6, 7.0, []),
    ]


@pytest.mark.parametrize(
    ("form", "begins", "name"),
    [
        ("srt", "1\n00:00:02,0", "soleá.srt"),
        ("lrc", "[00:02.0", "soleá.lrc"),
        ("json", '{\n  "file":', "soleá.json"),
        ("textgrid", 'File type = "ooTextFile"', "soleá.TextGrid"),
        ("audacity", "2.0", "soleá.labels.txt"),
        ("text", "[   2.0", "soleá.txt"),
    ],
)
def test_each_form_is_printed_or_written(
    cli: Cli, audio: Path, tmp_path: Path, form: str, begins: str, name: str
) -> None:
    printed = cli("transcribe", audio, "--to", form).out
    assert printed.startswith(begins)
    ran = cli("transcribe", audio, "--to", form, "-o", tmp_path / "out")
    assert ran.code == 0
    assert ran.out == ""
    assert (tmp_path / "out" / name).read_text("utf-8") == printed


def test_several_recordings(cli: Cli, audio: Path, tmp_path: Path) -> None:
    other = write_tone(tmp_path / "olé.wav", seconds=8.0)
    text = cli("transcribe", audio, other).out
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        f"# {audio}",
        f"# {other}",
    ]
    told = cli("transcribe", audio, other, "--json").json
    assert [one["file"] for one in told] == [str(audio), str(other)]
    refused = cli("transcribe", audio, other, "--to", "srt")
    assert (refused.code, refused.out) == (2, "")
    assert "name a folder with --output" in refused.err


def test_two_of_one_name_do_not_write_over_each_other(
    cli: Cli, audio: Path, tmp_path: Path
) -> None:
    (tmp_path / "b").mkdir()
    other = write_tone(tmp_path / "b" / "soleá.wav", seconds=8.0)
    ran = cli("transcribe", audio, other, "-o", tmp_path / "out")
    assert ran.code == 2
    assert "would both become" in ran.err
    assert not (tmp_path / "out").exists()


def test_one_that_fails_does_not_stop_the_others(cli: Cli, audio: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.mp3"
    damaged.write_bytes(b"no sound")
    ran = cli("transcribe", damaged, audio)
    assert ran.code == 1
    assert ran.err.count("\n") == 1
    assert "damaged.mp3: " in ran.err
    assert "ay penita mía" in ran.out


def test_a_folder_that_cannot_be_written(cli: Cli, audio: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    ran = cli("transcribe", audio, "-o", tmp_path / "taken")
    assert ran.code == 1
    assert "taken" in ran.err
