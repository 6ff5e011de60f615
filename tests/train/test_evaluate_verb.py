from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from corpus.publish.choose import Wanted
from corpus.publish.release import Options, release
from corpus.records import Tier
from corpus.workspace import Workspace
from tests.conftest import Cli
from tests.corpus.made import recording


@pytest.fixture
def released(aligned: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """All of a small corpus in the split test of its release v1."""
    monkeypatch.setenv("CANTE_MODELS", str(tmp_path / "models"))
    folder = aligned.root / "releases" / "v1"
    shares = {"train": 0.0, "validation": 0.0, "test": 1.0}
    release(aligned, "v1", folder, Options(shares=shares, wanted=Wanted(min_tier=Tier.BRONZE)))
    return folder


def judged(cli: Cli, *given: str | Path) -> Any:
    ran = cli("evaluate", *given, "--device", "cpu", "--json")
    assert ran.code == 0, ran.err
    return ran.json


@pytest.mark.usefixtures("released")
def test_a_release_is_judged_by_its_name(cli: Cli, tiny_whisper: Path) -> None:
    told = judged(cli, tiny_whisper, "--on", "v1")
    assert (told["release"], told["split"]) == ("v1", "test")
    (one,) = told["models"]
    assert one["model"] == "tiny"
    assert (one["utterances"], one["words"]) == (10, 5 * 5 + 5 * 3)
    assert one["quejio_missed"]["n"] == 15
    assert one["as_sung"]["recordings"] == 5
    assert one["wer"] == one["as_sung"]["value"]
    asked = {group["by"] for group in one["groups"]}
    assert asked >= {"palo", "singer", "decade", "quejío share", "kind", "tier"}
    assert "5 recordings are few: another 5 may tell otherwise" in told["notes"]


@pytest.mark.usefixtures("released")
def test_processes_judge_as_one_does(cli: Cli, tiny_whisper: Path) -> None:
    models = (tiny_whisper, "--on", "v1", "--batch-size", "2", "--precision", "float32")
    plain, spread = judged(cli, *models), judged(cli, *models, "--processes", "2")
    (one,), (other,) = plain["models"], spread["models"]
    assert (one["workers"], one["busy"], other["workers"]) == (1, None, 2)
    assert 0 < other["busy"] < 1
    for found in (one, other):
        for name in ("seconds", "workers", "busy"):
            del found[name]
    assert plain == spread


def test_models_and_settings(cli: Cli, tiny_whisper: Path, released: Path, tmp_path: Path) -> None:
    other = tmp_path / "otro"
    shutil.copytree(tiny_whisper, other)
    words = tmp_path / "palabras.txt"
    words.write_text("po la ay", "utf-8")
    models = (tiny_whisper, other, "--on", released, "--sample", "4", "--beam", "2")
    more = ("--backend", "faster-whisper", "--function-words", words, "--compare-backends")
    told = judged(cli, *models, *more)
    first, second = told["models"]
    assert (first["model"], second["model"]) == ("tiny", "otro")
    assert second["change"]["value"] == 0.0
    assert (first["beam"], first["backend"]) == (2, "faster-whisper")
    assert first["agreement"] is not None
    assert first["content"]["n"] < first["words"]
    assert "a sample of 4 of 10 utterances was judged" in told["notes"]


def test_whole_recordings(cli: Cli, aligned: Workspace, tiny_whisper: Path, released: Path) -> None:
    aligned.media.flac(recording("cinta 0").id).unlink()
    told = judged(cli, tiny_whisper, "--on", released, "--long")
    (one,) = told["models"]
    assert one["long_form"]["recordings"] == 4
    assert "1 of 5 recordings are not at hand" in told["notes"]


def test_tables_for_people(cli: Cli, tiny_whisper: Path, released: Path) -> None:
    ran = cli("evaluate", tiny_whisper, "--on", released, "--device", "cpu")
    assert ran.code == 0
    assert "on test" in ran.out
    assert "tiny, by singer" in ran.out
    assert "Camarón" in ran.out
    assert "evaluate: 5 recordings are few" in ran.err


def test_what_cannot_be(cli: Cli, tiny_whisper: Path, released: Path, tmp_path: Path) -> None:
    for given, message in (
        (("base", "--on", "v9"), "'v9' is no dataset"),
        ((tiny_whisper, "--on", released, "--backend", "x"), "there is no backend 'x'"),
        ((tmp_path, "--on", released), "holds no model"),
        ((tiny_whisper, "--on", released, "--split", "dev"), "has no split 'dev' (it has test)"),
    ):
        ran = cli("evaluate", *given)
        assert ran.code != 0
        assert message in ran.err
        assert "Traceback" not in ran.err
