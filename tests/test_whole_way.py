"""The whole way by the real commands, on a synthetic cante with real Whisper base."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from corpus import demo
from corpus.errors import CanteError
from corpus.synth.make import make_cantes, write_cante
from tests.conftest import Cli
from tests.corpus.made import ffmpeg


@dataclass(frozen=True)
class Sung:
    """A recording, its letra and its truth on disk."""

    audio: Path
    letra: Path
    truth: Any


@pytest.fixture(scope="module")
def sung(tmp_path_factory: pytest.TempPathFactory) -> list[Sung]:
    folder = tmp_path_factory.mktemp("sung")
    made = []
    for cante in make_cantes(2, seed=5, verses=1):
        audio, letra, truth = write_cante(cante, folder)
        made.append(Sung(audio, letra, json.loads(truth.read_text("utf-8"))))
    return made


def onset_errors(one: Sung, lines: list[Any]) -> list[float]:
    told = [line for verse in one.truth["verses"] for line in verse["sung"]]
    return demo.onset_errors(lines, told)


def test_from_recordings_and_letras_to_a_judged_dataset(
    cli: Cli, sung: list[Sung], tmp_path: Path
) -> None:
    assert cli("collect", sung[0].audio.parent).code == 0
    assert cli("lyrics", sung[0].audio.parent).code == 1  # the truths are no letras, and it says so
    assert "2 done" in cli("match").err
    assert {one["decision"] for one in cli("matches", "--json").json} == {"accepted"}
    assert "2 done" in cli("align").err
    assert "2 up to date" in cli("align").err

    by_recording: dict[str, list[Any]] = {}
    for line in cli("utterances", "--json").json["lines"]:
        assert line["end"] - line["start"] <= 30
        assert [word["text"] for word in line["words"]] == line["text"].split()
        assert {"recording", "verse", "kind", "score", "tier"} <= set(line)
        by_recording.setdefault(line["recording"], []).append(line)
    names = {one["id"]: Path(one["source"]).stem for one in cli("recordings", "--json").json}
    for one in sung:
        (id_,) = [id_ for id_, name in names.items() if name == one.audio.stem]
        assert median(onset_errors(one, by_recording[id_])) < 0.15

    dataset = tmp_path / "dataset"
    shares = ("--train", "0.5", "--validation", "0", "--test", "0.5")
    assert cli("publish", dataset, "--min-tier", "bronze", *shares).code == 0
    judged = cli("evaluate", "base", "--on", dataset, "--json").json["models"]
    assert judged[0]["utterances"] > 0
    assert 0 < judged[0]["wer"] < 1.5
    funnel = cli("status", "--json").json
    assert (funnel["matched"], funnel["aligned"]) == (2, 2)
    assert funnel["published"] == funnel["utterances"] > 0
    assert cli("publish", dataset).code == 1  # taken


def test_a_tag_that_says_nothing_is_made_up_for_by_what_is_heard(
    cli: Cli, sung: list[Sung], tmp_path: Path
) -> None:
    nameless = tmp_path / "Soleá.mp3"
    nameless.write_bytes(sung[0].audio.read_bytes())
    import mutagen

    tags = mutagen.File(nameless, easy=True)
    tags["title"] = "Soleá"
    tags.save()
    letras = tmp_path / "cancionero.txt"
    letras.write_text("\n\n".join(one.letra.read_text("utf-8") for one in sung), "utf-8")
    assert cli("collect", nameless).code == 0
    assert cli("lyrics", letras).code == 0
    assert cli("match").code == 0
    (match,) = cli("matches", "--json").json
    verses = {one["id"]: one["lines"] for one in cli("verses", "--json").json}
    found = [verses[one["verse"]] for one in match["verses"]]
    assert found == [verse["lines"] for verse in sung[0].truth["verses"]]


def test_one_file_is_aligned_without_a_corpus(cli: Cli, sung: list[Sung]) -> None:
    one = sung[0]
    found = cli("align-file", one.audio, one.letra, "--json").json
    assert list(found) == ["lines"]
    written = [line for line in one.letra.read_text("utf-8").split("\n") if line.strip()]
    assert [line["text"] for line in found["lines"] if not line.get("repeat")] == written
    for line in found["lines"]:
        assert [word["text"] for word in line["words"]] == line.get("sung", line["text"]).split()
        assert line["probability"] > 0.5
        assert all(set(word) == {"text", "start", "end", "score"} for word in line["words"])
    assert median(onset_errors(one, found["lines"])) < 0.15


@pytest.mark.parametrize(
    ("form", "mark"), [("--lrc", "[00:"), ("--srt", " --> "), ("--textgrid", "ooTextFile")]
)
def test_other_forms_of_the_same(cli: Cli, sung: list[Sung], form: str, mark: str) -> None:
    ran = cli("align-file", sung[0].audio, sung[0].letra, form)
    assert ran.code == 0
    assert mark in ran.out
    assert "mi centro" in ran.out


def test_what_cannot_be_aligned_is_told_in_a_line(
    cli: Cli, sung: list[Sung], tmp_path: Path
) -> None:
    wordless = tmp_path / "vacía.txt"
    wordless.write_text("\n \n", "utf-8")
    for audio, letra in ((sung[0].audio, wordless), (sung[0].letra, sung[0].letra)):
        ran = cli("align-file", audio, letra)
        assert ran.code == 1
        assert ran.out == ""
        assert ran.err.count("\n") == 1
        assert ran.err.startswith("corpus: ")
    assert cli("align-file", sung[0].audio, sung[0].letra, "--lrc", "--srt").code == 2
    assert cli("align-file", tmp_path / "none.mp3", sung[0].letra).code == 2


def test_silence_fails_by_its_name_and_the_others_go_on(
    cli: Cli, sung: list[Sung], tmp_path: Path
) -> None:
    ffmpeg("-f", "lavfi", "-i", "anullsrc=d=3", tmp_path / "silencio.wav")
    table = tmp_path / "tabla.csv"
    line = sung[0].letra.read_text("utf-8").split("\n")[0]
    table.write_text(f"link,transcription\nsilencio.wav,{line}\n{sung[0].audio},{line}\n", "utf-8")
    assert cli("collect", table).code == 0
    ran = cli("align")
    assert ran.code == 1
    assert "silencio.wav): nothing is heard in this audio" in ran.err
    assert "1 done, 1 failed" in ran.err
    assert "silencio.wav" in cli("status").out
    assert len(cli("status", "--json").json["failed"]) == 1


def test_a_recording_is_written_down(cli: Cli, sung: list[Sung]) -> None:
    lines = cli("transcribe", sung[0].audio, "--json").json["lines"]
    assert lines
    assert all(0 <= line["start"] <= line["end"] for line in lines)


def test_annotations_come_back_and_speak(cli: Cli, sung: list[Sung], tmp_path: Path) -> None:
    table = tmp_path / "tabla.csv"
    text = sung[0].letra.read_text("utf-8").strip()
    table.write_text(f'link,song,transcription\n{sung[0].audio},"Soleá","{text}"\n', "utf-8")
    assert cli("collect", table).code == 0
    assert cli("align").code == 0
    assert cli("annotate", "export", tmp_path / "out").code == 0
    tasks = json.loads((tmp_path / "out" / "tasks.json").read_text("utf-8"))
    for number, task in enumerate(tasks):
        result = task["predictions"][0]["result"]
        said = {"result": result, "completed_by": {"email": "ana@example.org"}, "id": number}
        task["annotations"] = [
            said | {"created_at": "2026-01-01T10:00:00Z", "was_cancelled": False, "lead_time": 9}
        ]
        task["id"] = number
    (tmp_path / "back.json").write_text(json.dumps(tasks), "utf-8")
    assert cli("annotate", "import", tmp_path / "back.json").code == 0
    assert {line["tier"] for line in cli("utterances", "--json").json["lines"]} == {"gold"}
    assert cli("publish", tmp_path / "gold", "--min-tier", "gold").code == 0
    assert cli("status", "--json").json["corrected"] == len(tasks)


# ---- what the demo measures


def test_verses_are_counted_against_the_truth() -> None:
    verses = [{"id": "a", "lines": ["Ay, pena"]}, {"id": "b", "lines": ["otra"]}]
    accepted = {"recording": "r", "decision": "accepted", "verses": [{"verse": "a"}]}
    truth = {"r": [["ay pena"], ["y más"]], "s": [["otra"]]}
    assert demo.verse_hits([accepted], verses, truth) == (1, 0, 2)
    wrong = {"recording": "s", "decision": "accepted", "verses": [{"verse": "a"}]}
    assert demo.verse_hits([accepted, wrong], verses, truth) == (1, 1, 2)
    seen = {"recording": "s", "decision": "to review", "verses": [{"verse": "b"}]}
    assert demo.verse_hits([accepted, seen], verses, truth) == (1, 0, 2)


def test_a_line_sung_twice_may_be_placed_on_either() -> None:
    def words(*starts: float) -> list[dict[str, float]]:
        return [{"start": start} for start in starts]

    truth = [{"text": "ay pena", "words": words(1, 2)}, {"text": "ay pena", "words": words(5, 6)}]
    placed = [{"text": "ay pena\notra", "words": words(5.1, 6.3, 9)}]
    assert demo.onset_errors(placed, truth) == pytest.approx([0.1, 0.3])


def test_a_command_that_fails_is_told(tmp_path: Path) -> None:
    with pytest.raises(CanteError, match="ended with 2"):
        demo.run(("status",), tmp_path)
    demo.run(("init",), tmp_path)
    ran = demo.run(("collect", "nothing.mp3"), tmp_path, flawed=True)
    assert ran.seconds > 0
    assert ran.peak_mb > 10
    with pytest.raises(CanteError, match="ended with 1"):
        demo.run(("collect", "nothing.mp3"), tmp_path)


def test_which_coplas_are_sung_in_a_file(cli: Cli, sung: list[Sung], tmp_path: Path) -> None:
    letras = tmp_path / "letras"
    letras.mkdir()
    for one in sung:
        (letras / one.letra.name).write_bytes(one.letra.read_bytes())
    (letras / "otra.txt").write_text("Ni de noche ni de día\nhay quien me pueda consolar", "utf-8")
    found = cli("identify", sung[0].audio, "--bank", letras, "--json").json
    (verse,) = sung[0].truth["verses"]
    assert {one["text"] for one in found["verses"]} == {"\n".join(verse["lines"])}
    first = found["verses"][0]
    assert first["probability"] > 0.5
    # Of a line that is sung twice, either singing may begin the verse.
    begin, end = verse["sung"][0]["words"][0]["start"], verse["sung"][-1]["words"][-1]["end"]
    assert begin - 1 < first["start"] < (begin + end) / 2 < first["end"] < end + 1
    assert [one["start"] for one in found["verses"]] == sorted(
        one["start"] for one in found["verses"]
    )


def test_a_bank_that_cannot_be(cli: Cli, sung: list[Sung], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for bank in (tmp_path / "none.txt", tmp_path / "empty"):
        ran = cli("identify", sung[0].audio, "--bank", bank)
        assert ran.code == 2
        assert "no letra to look for" in ran.err
    assert cli("identify", sung[0].audio).code == 0  # the corpus here, which has no verse yet
