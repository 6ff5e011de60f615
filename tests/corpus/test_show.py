"""`corpus show` and `corpus export`: one recording to look at, to listen to, to print."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from align.aligner import Aligner
from align.records import AlignedLine, Alignment
from corpus.records import Recording, Utterance, Word
from corpus.rows import AlignedRecording
from corpus.workspace import Workspace
from tests.conftest import Cli, Ran
from tests.corpus.made import recording, utterance, write_tone

PNG = b"\x89PNG\r\n"


@pytest.fixture
def taken(cli: Cli, workspace: Workspace, tmp_path: Path) -> Recording:
    """A recording of two seconds that is not aligned."""
    assert cli("collect", write_tone(tmp_path / "Soleá <viva>.wav", 2.0)).code == 0
    (found,) = workspace.store.recordings()
    return found


@pytest.fixture
def aligned(workspace: Workspace, taken: Recording) -> Utterance:
    made = utterance(taken, "por la calle\nabajo", 0.5)
    with workspace.store.transaction() as transaction:
        transaction.save([AlignedRecording(recording=taken.id, utterances=(made,))])
    return made


# ---- show


def test_a_picture_and_a_page(cli: Cli, workspace: Workspace, aligned: Utterance) -> None:
    ran = cli("show", aligned.recording[:6])
    assert (ran.code, ran.err) == (0, "")
    png, html = map(Path, ran.out.splitlines())
    assert png.parent == html.parent == workspace.root / "show"
    assert png.stem == html.stem == f"solea-viva-{aligned.recording[:8]}"
    assert png.read_bytes().startswith(PNG)
    page = html.read_text("utf-8")
    assert "data:audio/mpeg;base64," in page
    assert ">calle</span>" in page
    assert "Soleá &lt;viva&gt;" in page


@pytest.mark.parametrize("form", ["png", "html"])
def test_only_one_of_both_in_a_folder_of_choice(
    cli: Cli, aligned: Utterance, tmp_path: Path, form: str
) -> None:
    folder = tmp_path / "mi carpeta"
    told = cli("show", aligned.recording, "-o", folder, f"--{form}", "--json").json
    assert set(told) == {"recording", form}
    assert told["recording"] == aligned.recording
    assert [str(path) for path in folder.iterdir()] == [told[form]]


def test_what_is_not_aligned_is_shown_and_said(cli: Cli, taken: Recording) -> None:
    ran = cli("show", taken.id)
    assert (ran.code, ran.err.count("\n")) == (0, 1)
    assert ran.err.startswith(f"show: {taken.id[:12]} (")
    assert "is not aligned yet: run `corpus align`" in ran.err
    png, html = map(Path, ran.out.splitlines())
    assert png.read_bytes().startswith(PNG)
    assert "Nothing is aligned yet" in html.read_text("utf-8")


def test_two_of_the_same_title_do_not_overwrite_each_other(
    cli: Cli, taken: Recording, tmp_path: Path
) -> None:
    (tmp_path / "b").mkdir()
    again = write_tone(tmp_path / "b" / "Soleá <viva>.wav", 2.0, hertz=330)
    assert cli("collect", again).code == 0
    ids = [one["id"] for one in cli("recordings", "--json").json]
    assert taken.id in ids
    assert len({cli("show", id_, "--png").out for id_ in ids}) == 2


@pytest.mark.parametrize("verb", ["show", "export"])
def test_a_recording_that_is_not_known_or_not_clear_is_2(
    cli: Cli, workspace: Workspace, verb: str
) -> None:
    with workspace.store.transaction() as transaction:
        transaction.save([recording("a1"), recording("a2")])
    for start, says in (("f00", "no recording has an id"), ("613", "2 recordings have an id")):
        ran = cli(verb, start)
        assert (ran.code, ran.err.count("\n")) == (2, 1)
        assert says in ran.err


def test_audio_that_is_gone_is_1(cli: Cli, workspace: Workspace, aligned: Utterance) -> None:
    workspace.media.flac(aligned.recording).unlink()
    ran = cli("show", aligned.recording)
    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert "run `corpus verify --mend`" in ran.err


def test_a_folder_that_cannot_be_is_1(cli: Cli, aligned: Utterance, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    ran = cli("show", aligned.recording, "-o", tmp_path / "file" / "x")
    assert (ran.code, "cannot write" in ran.err) == (1, True)


# ---- export

FORMS = [
    ("lrc", "[00:00.50]por la calle\n[00:01.25]abajo\n"),
    ("audacity", "0.500000\t1.250000\tpor la calle\n1.250000\t1.500000\tabajo\n"),
    ("srt", "00:00:00,500 --> 00:00:01,250\npor la calle\n"),
    ("textgrid", 'name = "words"'),
]


@pytest.mark.parametrize(("form", "mark"), FORMS)
def test_export_prints_line_by_line(cli: Cli, aligned: Utterance, form: str, mark: str) -> None:
    ran = cli("export", aligned.recording[:12], "--format", form)
    assert (ran.code, ran.err) == (0, "")
    assert mark in ran.out


def test_export_is_json_unless_told(cli: Cli, aligned: Utterance) -> None:
    told = cli("export", aligned.recording).json
    assert [line["text"] for line in told["lines"]] == ["por la calle", "abajo"]
    assert cli("export", aligned.recording, "--format", "json").json == told


def test_export_of_what_is_not_aligned_says_so(cli: Cli, taken: Recording) -> None:
    ran = cli("export", taken.id)
    assert (ran.code, ran.json) == (0, {"lines": []})
    assert "is not aligned yet" in ran.err


def test_a_format_that_nobody_knows_is_2(cli: Cli, aligned: Utterance) -> None:
    assert cli("export", aligned.recording, "--format", "midi").code == 2


# ---- the same formats of one song without a corpus


@pytest.fixture
def of_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str | Path]:
    """`corpus align-file` on a tone, with an aligner that is told what it hears."""
    made = Alignment(
        lines=tuple(
            AlignedLine(
                text=text,
                start=start,
                end=start + 0.5,
                words=(Word(text=text, start=start, end=start + 0.5),),
                score=1,
                sung=sung,
            )
            for text, start, sung in (("ay", 0.25, None), ("no", 1.0, ""))
        ),
        voice=np.zeros(100, np.float32),
        frame_rate=50,
    )
    monkeypatch.setattr(Aligner, "align", lambda *_, **__: made)
    monkeypatch.setattr("corpus.commands.listen.aligner_of", lambda *_: Aligner.__new__(Aligner))
    (tmp_path / "letra.txt").write_text("ay\nno", "utf-8")
    return ["align-file", write_tone(tmp_path / "a.wav", 2.0), tmp_path / "letra.txt"]


def test_align_file_prints_what_was_sung_in_other_formats(
    cli: Cli, of_one_file: list[str | Path]
) -> None:
    ran: Ran = cli(*of_one_file, "--audacity")
    assert (ran.code, ran.out) == (0, "0.250000\t0.750000\tay\n")
    assert "not heard" in ran.err
    assert cli(*of_one_file, "--lrc").out == "[00:00.25]ay\n"
    assert [line["text"] for line in cli(*of_one_file).json["lines"]] == ["ay", "no"]


def test_two_formats_at_once_are_2(cli: Cli, of_one_file: list[str | Path]) -> None:
    assert cli(*of_one_file, "--lrc", "--srt").code == 2
