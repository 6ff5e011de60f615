"""The documentation says what the commands do."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from corpus.cli import app

ROOT = Path(__file__).parent.parent
PAGES = runpy.run_path(str(ROOT / "docs" / "commands.py"))
VERBS: list[tuple[str, Any]] = list(PAGES["verbs"](get_command(app)))


def test_the_reference_is_what_the_commands_say() -> None:
    written = (ROOT / "docs" / "reference.md").read_text("utf-8")
    assert written == PAGES["reference"](), "run `python docs/commands.py`"


@pytest.mark.parametrize(("name", "command"), VERBS, ids=[name for name, _ in VERBS])
def test_every_command_has_help_for_itself_and_its_options(name: str, command: Any) -> None:
    assert command.help
    assert f"## {name}\n" in (ROOT / "docs" / "reference.md").read_text("utf-8")
    silent = [p.name for p in command.params if p.name != "help" and not p.help]
    assert not silent


def test_the_readme_names_the_commands_of_the_makefile() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for line in ("--group demo corpus demo", "--group dev sh tests/all.sh"):
        assert line in readme
        assert line in makefile


def test_the_picture_is_what_its_script_draws() -> None:
    drawn = runpy.run_path(str(ROOT / "docs" / "flow.py"))["svg"]()
    assert (ROOT / "docs" / "flow.svg").read_text("utf-8") == drawn
