from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from corpus.records import Decision, Match, MatchedVerse, Tier
from corpus.rows import AlignedRecording
from corpus.workspace import Workspace
from tests.conftest import Cli
from tests.corpus.made import command, recording, utterance, verse, write_tone

CINTA = recording("Soleá [en vivo] :100:", artist="La Niña")
SUNG = verse("por la calle [abajo]", "va 💃", source="/letras/a.txt", title="Soleá")


@pytest.fixture
def filled(workspace: Workspace) -> Workspace:
    made = AlignedRecording(recording=CINTA.id, utterances=(utterance(CINTA, "ay [ay]", 1.0),))
    found = MatchedVerse(verse=SUNG.id, score=0.9, reason="text 0.90")
    match = Match(recording=CINTA.id, verses=(found,), decision=Decision.ACCEPTED)
    nothing = Match(recording=recording("b").id, verses=(), decision=Decision.NONE)
    with workspace.store.transaction() as transaction:
        transaction.save([CINTA, recording("b"), SUNG, match, nothing, made])
    return workspace


LISTINGS = ["status", "recordings", "verses", "matches", "utterances"]


# ---- what is shown


@pytest.mark.parametrize("verb", LISTINGS)
def test_json_of_nothing(cli: Cli, verb: str) -> None:
    ran = cli(verb, "--json")
    assert (ran.code, ran.err) == (0, "")
    assert not any(
        value for value in (ran.json.values() if isinstance(ran.json, dict) else ran.json)
    )


@pytest.mark.parametrize("verb", LISTINGS)
def test_tables_of_nothing(cli: Cli, verb: str) -> None:
    ran = cli(verb)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out


def test_json_holds_what_the_store_holds(cli: Cli, filled: Workspace) -> None:
    recordings = cli("recordings", "--json").json
    assert {one["title"] for one in recordings} == {CINTA.title, "b"}
    (found,) = cli("verses", "--json").json
    assert (found["id"], found["lines"]) == (SUNG.id, list(SUNG.lines))
    assert found["sources"][0]["title"] == "Soleá"
    matches = {one["recording"]: one for one in cli("matches", "--json").json}
    assert matches[CINTA.id]["decision"] == "accepted"
    assert matches[CINTA.id]["verses"][0]["verse"] == SUNG.id
    text = cli("utterances", "--json").out
    assert '"ay [ay]"' in text
    assert Tier.BRONZE.value in text
    status = cli("status", "--json").json
    assert (status["recordings"], status["matched"], status["utterances"]) == (2, 1, 1)
    assert filled.store.funnel().recordings == 2


def test_tables_show_text_as_it_is(cli: Cli, filled: Workspace) -> None:
    assert CINTA.title in cli("recordings").out
    assert "por la calle [abajo] / va 💃" in cli("verses").out
    assert "ay [ay]" in cli("utterances").out
    matches = cli("matches").out
    assert "text 0.90" in matches
    assert "no match" in matches
    assert filled.root.is_dir()


def test_status_shows_failures(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "empty.mp3").write_bytes(b"")
    (tmp_path / "t.csv").write_text("link\n\n" * 99 + "link\n", "utf-8")
    assert cli("collect", tmp_path / "empty.mp3", tmp_path / "t.csv").code == 1
    told = cli("status")
    assert told.code == 0
    assert f"{tmp_path / 'empty.mp3'} " in told.out
    assert "no audio" in told.out
    assert f"{tmp_path / 't.csv'}:100 " in told.out
    failed = cli("status", "--json").json["failed"]
    assert {one["stage"] for one in failed} == {"collect"}
    assert len(failed) == 100


# ---- exit codes


def test_what_goes_well_is_0(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("ay pena", "utf-8")
    assert cli("lyrics", tmp_path / "a.txt").code == 0
    assert cli("collect", write_tone(tmp_path / "a.wav")).code == 0
    assert cli("match", "--no-draft").code == 0
    assert cli("--help").code == 0
    assert cli("-h").code == 0
    assert cli("collect", "--help").code == 0


def test_what_fails_is_1(cli: Cli, workspace: Workspace) -> None:
    assert cli("lyrics", "no.txt").code == 1
    (workspace.root / "no.db").write_bytes(b"no database at all, but long enough" * 99)
    (workspace.root / "corpus.toml").write_text('[store]\nurl = "sqlite:///no.db"\n', "utf-8")
    ran = cli("status")
    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert "not a database" in ran.err


@pytest.mark.parametrize(
    "arguments",
    [("nosuchverb",), ("collect",), ("status", "--nosuchoption"), ("lyrics",), ("init", "a", "b")],
)
def test_what_cannot_be_meant_is_2(cli: Cli, arguments: tuple[str, ...]) -> None:
    ran = cli(*arguments)
    assert ran.code == 2
    assert "Usage" in ran.err
    assert "Traceback" not in ran.err


def test_no_workspace_is_2(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    ran = cli("-w", tmp_path / "elsewhere", "status")
    assert ran.code == 2
    assert ran.err == (
        f"corpus: no corpus.toml in {tmp_path / 'elsewhere'} or above it: "
        "make one with `corpus init`\n"
    )


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ("[match]\nacept = 0.5\n", "match: unknown key 'acept': is 'accept' meant?"),
        ("[match]\naccept = 5\n", "match.accept: input should be less than or equal to 1"),
        ("[store]\nurl = 5\n", "store.url: input should be a valid string"),
        ("[corpus\n", "cannot be read: "),
        ("[corpus]\nname = '\xff'\n", "cannot be read: "),
    ],
)
def test_a_wrong_config_is_2(cli: Cli, workspace: Workspace, toml: str, says: str) -> None:
    (workspace.root / "corpus.toml").write_bytes(toml.encode("latin-1"))
    ran = cli("status")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert says in ran.err
    assert "corpus.toml" in ran.err


# ---- making a workspace


@pytest.mark.parametrize("name", ["cante", "con espacios", "a?b#c%20d", 'qu"ote', "a\\b", "ñ💃"])
def test_init_in_folders_of_any_name(cli: Cli, tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    ran = cli("init", folder)
    if name == "cante":  # where the fixture has made one
        assert (ran.code, "is there already" in ran.err) == (2, True)
        return
    assert ran.code == 0
    assert sorted(path.name for path in folder.iterdir()) == ["corpus.db", "corpus.toml", "media"]
    assert cli("-w", folder, "status").code == 0
    assert cli("init", folder).code == 2


def test_init_where_no_folder_can_be(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    ran = cli("init", tmp_path / "file" / "cante")
    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert "cannot write" in ran.err


def test_the_workspace_is_found_from_below(cli: Cli, workspace: Workspace) -> None:
    (workspace.root / "a" / "b").mkdir(parents=True)
    assert cli("-w", workspace.root / "a" / "b", "status").code == 0


# ---- what goes wrong, in one line or in full


@pytest.mark.parametrize("where", ["before", "after", "no"])
def test_debug_in_any_place(
    cli: Cli, workspace: Workspace, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> None:
        raise KeyError("one\ntwo")

    assert workspace.root.is_dir()
    monkeypatch.setattr("corpus.store.Store.funnel", broken)
    if where == "no":
        ran = cli("status")
        assert (ran.code, ran.err.count("\n")) == (1, 1)
        assert ran.err.startswith("corpus: unexpected KeyError")
        assert "run with --debug" in ran.err
        return
    arguments = ["--debug", "status"] if where == "before" else ["status", "--debug"]
    monkeypatch.setattr("sys.argv", ["corpus", *arguments])
    from corpus.cli import main

    with pytest.raises(KeyError):
        main()


def test_no_traceback_but_with_debug(tmp_path: Path) -> None:
    plain = command("status", cwd=tmp_path)
    assert (plain.returncode, plain.stdout, plain.stderr.count("\n")) == (2, "", 1)
    full = command("status", "--debug", cwd=tmp_path)
    assert full.returncode != 0
    assert "Traceback" in full.stderr
    assert "WorkspaceError" in full.stderr


# ---- other terminals


@pytest.mark.parametrize(
    "env",
    [
        {"PYTHONIOENCODING": "latin-1"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
    ids=["latin-1", "C"],
)
def test_terminals_that_know_few_letters(
    filled: Workspace, tmp_path: Path, env: dict[str, str]
) -> None:
    write_tone(tmp_path / "💃 ñ.wav")
    taken = command("collect", tmp_path / "💃 ñ.wav", cwd=filled.root, env=env)
    assert (taken.returncode, taken.stderr) == (0, "collect: 1 done\n")
    shown = command("verses", cwd=filled.root, env=env)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "\\U0001f483" in shown.stdout
    told = command("lyrics", "💃.txt", cwd=filled.root, env=env)
    assert (told.returncode, "there is no such file" in told.stderr) == (1, True)
    found = json.loads(command("verses", "--json", cwd=filled.root, env=env).stdout)
    assert found[0]["lines"] == list(SUNG.lines)


# ---- quick


HEAVY = ("torch", "transformers", "datasets", "yt_dlp", "whisperx", "faster_whisper", "numba")
HELP = """
import sys
sys.argv = ["corpus", *{arguments!r}]
from corpus.cli import main
try:
    main()
finally:
    print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)
"""


@pytest.mark.parametrize("arguments", [["--help"], ["match", "--help"], ["status"]])
def test_nothing_heavy_is_loaded(workspace: Workspace, arguments: list[str]) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", HELP.format(arguments=arguments, heavy=HEAVY)],
        cwd=workspace.root,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "[]\n")


def test_help_names_every_verb(cli: Cli) -> None:
    told = cli("--help").out
    for verb in ("init", "collect", "lyrics", "match", *LISTINGS):
        assert re.search(rf"\b{verb}\b", told)


def test_version(cli: Cli) -> None:
    ran = cli("--version")
    assert (ran.code, ran.err) == (0, "")
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", ran.out)


def test_a_model_trained_anew_in_the_same_folder_has_another_name(tmp_path: Path) -> None:
    from corpus.commands.listen import _edition

    here, there = tmp_path / "a" / "model", tmp_path / "b" / "model"
    for folder, weights in ((here, b"1"), (there, b"2")):
        folder.mkdir(parents=True)
        (folder / "model.safetensors").write_bytes(weights)
    first = _edition("model", here)
    assert first.startswith("model-")
    assert first != _edition("model", there)
    (here / "model.safetensors").write_bytes(b"2")
    assert _edition("model", here) == _edition("model", there) != first
