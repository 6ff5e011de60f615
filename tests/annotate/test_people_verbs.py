"""The verbs that need no server: what people did, how far they agree, what would be pushed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from corpus.media import flac_bytes
from corpus.rows import AlignedRecording
from corpus.workspace import Workspace
from tests.annotate.people import another_region, answer, handed_in, kind, text, verdict, written
from tests.conftest import Cli
from tests.corpus.made import recording, tone, utterance

UNO = recording("uno", artist="voz")
PENA = replace(utterance(UNO, "ay pena\nmía", 2.0, 3.0), score=0.2)
MADRE = replace(utterance(UNO, "mare de mi alma", 6.0, 2.0), score=0.8)


@pytest.fixture
def full(workspace: Workspace) -> Workspace:
    path = workspace.media.flac(UNO.id)
    path.parent.mkdir(parents=True)
    path.write_bytes(flac_bytes(tone(UNO.duration)))
    with workspace.store.transaction() as transaction:
        transaction.save([UNO, AlignedRecording(recording=UNO.id, utterances=(MADRE, PENA))])
    return workspace


def heard_by_two(cli: Cli, folder: Path) -> None:
    """Ana and Eva hear both clips; they differ about the second, and Eva adds a quejío."""
    assert cli("annotate", "export", folder / "out").code == 0
    pena, madre = json.loads((folder / "out" / "tasks.json").read_text("utf-8"))
    later: dict[str, Any] = {"completed_by": "eva", "updated_at": "2026-03-02T00:00:00Z"}
    words = (answer("background", "1"), written("words", "mare"))
    tasks = [
        handed_in(pena, *words),
        handed_in(madre, number=2),
        handed_in(pena, answer("background", "1"), number=3, **later),
        handed_in(
            *(madre, text("madre de mi alma"), another_region(0.0, 0.4, label="Quejío")),
            number=4,
            **later,
        ),
    ]
    (folder / "back.json").write_text(json.dumps(tasks), "utf-8")
    assert cli("annotate", "import", folder / "back.json").code == 0


def test_status(full: Workspace, cli: Cli, tmp_path: Path) -> None:
    assert full.store.annotations() == ()
    heard_by_two(cli, tmp_path)
    told = cli("annotate", "status", "--json").json
    ana, eva = told["people"]
    assert (ana["person"], ana["right"], ana["corrected"]) == ("ana@example.org", 2, 0)
    assert (eva["right"], eva["corrected"], eva["texts"], eva["added"]) == (1, 2, 1, 1)
    assert told["shares"]["checked"] == 1.0
    assert told["shares"]["quejio"] == pytest.approx(0.4 / 5.4)
    assert told["shares"]["culture"] == 0.0
    shown = cli("annotate", "status")
    assert shown.code == 0
    assert "ana@example.org" in shown.out
    assert "7.4 % cries (quejío)" in shown.err


def test_status_of_nobody(full: Workspace, cli: Cli) -> None:
    assert full.store.annotations() == ()
    shown = cli("annotate", "status")
    assert (shown.code, shown.out) == (0, "")
    assert "nobody has said anything yet" in shown.err


def test_status_tells_how_far_each_agrees_with_others(
    full: Workspace, cli: Cli, tmp_path: Path
) -> None:
    heard_by_two(cli, tmp_path)
    assert len(full.store.annotations()) == 5
    ana, eva = cli("annotate", "status", "--json").json["people"]
    for one in (ana, eva):
        assert one["agreement"]["utterances"] == 2
        assert one["agreement"]["word_error_rate"] == pytest.approx(1 / 7)
    assert "word error rate" in cli("annotate", "status").out


def test_agreement(full: Workspace, cli: Cli, tmp_path: Path) -> None:
    assert full.store.descriptions() == ()
    alone = cli("annotate", "agreement", "--json").json
    assert (alone["utterances"], alone["word_error_rate"], alone["disputed"]) == (0, None, [])
    heard_by_two(cli, tmp_path)
    told = cli("annotate", "agreement", "--json").json
    assert (told["utterances"], told["pairs"]) == (2, 2)
    assert told["word_error_rate"] == pytest.approx(1 / 7)
    assert dict(told["alpha"])["background"] is None
    assert told["disputed"] == [MADRE.id]
    shown = cli("annotate", "agreement")
    assert "1 want a third person" in shown.err
    going = cli("annotate", "push", "--disputed", "--dry-run")
    assert "would push 1 tasks, 0.1 minutes, to 'cante: third person'" in going.err


def test_a_third_person_ends_it(full: Workspace, cli: Cli, tmp_path: Path) -> None:
    heard_by_two(cli, tmp_path)
    madre = json.loads((tmp_path / "out" / "tasks.json").read_text("utf-8"))[1]
    third = handed_in(madre, completed_by="luz", updated_at="2026-03-03T00:00:00Z")
    (tmp_path / "third.json").write_text(json.dumps([third]), "utf-8")
    assert cli("annotate", "import", tmp_path / "third.json").code == 0
    assert cli("annotate", "agreement", "--json").json["disputed"] == []
    assert [one.text for one in full.store.utterances()] == [PENA.text, MADRE.text]


def test_what_was_flagged_is_asked_again(full: Workspace, cli: Cli, tmp_path: Path) -> None:
    assert cli("annotate", "export", tmp_path / "out", "--minutes", "0.07").code == 0
    (pena,) = json.loads((tmp_path / "out" / "tasks.json").read_text("utf-8"))
    flagged = handed_in(pena, verdict("Es otra letra"), kind("Letra"))
    (tmp_path / "back.json").write_text(json.dumps([flagged]), "utf-8")
    assert cli("annotate", "import", tmp_path / "back.json").code == 0
    assert cli("annotate", "agreement", "--json").json["disputed"] == [PENA.id]
    assert full.store.utterances()[0] == PENA


def test_pieces_of_recordings_by_option(full: Workspace, cli: Cli, tmp_path: Path) -> None:
    told = cli("annotate", "export", tmp_path / "out", "--recordings", "--json").json
    assert (told["tasks"], told["seconds"]) == (1, 7.0)
    assert len(full.store.done("sent")) == 2
    assert "would push 1 tasks" in cli("annotate", "push", "--recordings", "--dry-run").err


def test_while_it_is_starting_nobody_is_told_to_start_it(full: Workspace, cli: Cli) -> None:
    folder = full.root / "labelstudio"
    folder.mkdir()
    with FileLock(folder / "lock"):
        (folder / "server.json").write_text('{"port": 8080}', "utf-8")
        told = cli("annotate", "push")
    assert told.code == 1
    assert "is still starting here: try again" in told.err
    assert "no Label Studio runs here" in cli("annotate", "push").err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("push",), "no Label Studio runs here: start one with `corpus annotate serve`"),
        (("pull",), "no Label Studio runs here"),
        (("push", "--url", "http://127.0.0.1:9"), "put the token of http://127.0.0.1:9 in"),
        (("push", "--url", "ftp://x", "--token", "s3cret"), "is no address of a server"),
        (
            ("push", "--audio-url", "x.org/clips"),
            "--audio-url is an address of http:// or https://",
        ),
        (("push", "--minutes", "0", "--dry-run"), "a limit is a number of minutes above 0"),
    ],
)
def test_what_cannot_be_asked(cli: Cli, arguments: tuple[str, ...], reason: str) -> None:
    told = cli("annotate", *arguments)
    assert told.code == 2
    assert reason in told.err
    assert "s3cret" not in told.err
