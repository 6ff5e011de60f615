"""What is sung in a corpus of another language is read in that, and nobody has to say it again."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import typer

from corpus.commands.language import sung_language
from corpus.publish.folder import Manifest, write_manifest
from corpus.workspace import CONFIG_NAME, Workspace
from tests.conftest import Cli


def _in(folder: Path) -> typer.Context:
    return cast("typer.Context", SimpleNamespace(obj={"workspace": folder}))


def _release(folder: Path, language: str) -> Path:
    folder.mkdir()
    write_manifest(folder, Manifest(name=folder.name, made="2026-01-01", language=language))
    return folder


@pytest.fixture
def french(workspace: Workspace) -> Path:
    (workspace.root / CONFIG_NAME).write_text('[corpus]\nlanguage = "fr"\n', "utf-8")
    return workspace.root


def test_what_is_said_wins_then_the_release_then_the_corpus(french: Path, tmp_path: Path) -> None:
    basque = _release(tmp_path / "bertsoak", "eu")
    assert sung_language(_in(french), "pt", basque) == "pt"
    assert sung_language(_in(french), "", basque) == "eu"
    assert sung_language(_in(french)) == "fr"
    assert sung_language(_in(french), "", "somebody/dataset") == "fr"


def test_where_nothing_says_it_spanish_is_meant(tmp_path: Path, french: Path) -> None:
    assert sung_language(_in(tmp_path)) == "es"
    assert sung_language(_in(french), "", _release(tmp_path / "old", "")) == "es"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], "fr"),
        (["--language", "eu"], "eu"),
        (["--config", "basque.toml"], "eu"),
        (["--config", "basque.toml", "--language", "pt"], "pt"),
        (["--preset", "quick"], "fr"),
    ],
)
def test_a_model_is_trained_in_the_language_of_its_release(
    french: Path, tmp_path: Path, cli: Cli, options: list[str], told: str
) -> None:
    (french / "basque.toml").write_text('language = "eu"\n', "utf-8")
    release = _release(tmp_path / "chanson", "fr")
    printed = cli("train", release, "-o", "model", "--print", *options)
    assert printed.code == 0, printed.err
    assert f'language = "{told}"\n' in printed.out


def test_settings_are_printed_without_a_dataset(french: Path, cli: Cli) -> None:
    (french / "mine.toml").write_text('output = "model"\n', "utf-8")
    printed = cli("train", "mine.toml", "--print")
    assert 'language = "fr"\n' in printed.out
