"""The documentation says what the commands do."""

from __future__ import annotations

import ast
import inspect
import re
import runpy
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from corpus import errors
from corpus.cli import app
from corpus.workspace import config_problems

ROOT = Path(__file__).parent.parent
PACKAGES = ("corpus", "align", "annotate", "train")
PAGES = runpy.run_path(str(ROOT / "docs" / "commands.py"))
ROOT_COMMAND: Any = get_command(app)
VERBS: list[tuple[str, Any]] = list(PAGES["verbs"](ROOT_COMMAND))
TEXTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


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


def test_the_pictures_are_what_their_script_draws() -> None:
    script = runpy.run_path(str(ROOT / "docs" / "flow.py"))
    for name, words in (("flow.svg", None), ("flow.es.svg", script["SPANISH"])):
        assert (ROOT / "docs" / name).read_text("utf-8") == script["svg"](words)


def test_the_tree_of_errors_is_what_the_code_says() -> None:
    written = (ROOT / "docs" / "errors.md").read_text("utf-8")
    assert written == PAGES["errors_page"](), "run `python docs/commands.py`"
    told = re.findall(r"^ {4}([│├└─ ]*)(\w+Error)", inspect.getdoc(errors) or "", re.MULTILINE)
    drawn = [(len(lines) // 4, name) for lines, name in told]
    assert drawn == [(depth, one.__name__) for depth, one in PAGES["error_classes"]()]
    assert {name for _, name in drawn} == set(errors.__all__)


def test_every_error_says_when_it_is_raised_and_what_to_do() -> None:
    for depth, one in PAGES["error_classes"]():
        when, _, what = (inspect.getdoc(one) or "").partition("\n\n")
        assert depth == 0 or (when.startswith("Raised when ") and what)


# ---- what pages quote: commands that are there, messages that are said


def commands_of(page: Path) -> Iterator[str]:
    """Every command line of a page, in blocks and in sentences."""
    text = page.read_text("utf-8").replace("\\\n", " ")
    fenced = re.findall(r"^```.*?^```$", text, re.DOTALL | re.MULTILINE)
    for block in (*fenced, *re.findall(r"^ {4}.+$", text, re.MULTILINE)):
        yield from re.findall(r"^(?: {4}|.*&& |.*\$ )?(corpus .+)$", block, re.MULTILINE)
    yield from re.findall(r"`(corpus [^`]+)`", text)


def _asked(line: str) -> list[str]:
    """The words of a command line, as far as it is one command; comments and pipes left out."""
    words = shlex.split(line.split(" #", maxsplit=1)[0].replace("'", ""), posix=True)
    ends = {"&&", "||", "|", ">", "2>", ";"}
    return next((words[:i] for i, word in enumerate(words) if word in ends), words)


def _walk(words: list[str]) -> tuple[Any, list[str]]:
    """The command that is meant, and the options that are given to it."""
    command, rest = ROOT_COMMAND, words[1:]
    general = {name: p for p in command.params for name in p.opts}
    while rest and rest[0] in general:
        rest = rest[1 if general[rest[0]].is_flag else 2 :]
    while rest and hasattr(command, "commands") and not rest[0].startswith("-"):
        command, rest = command.commands[rest[0]], rest[1:]
    return command, [word.partition("=")[0] for word in rest if word.startswith("-")]


@pytest.mark.parametrize("page", TEXTS, ids=lambda path: path.name)
def test_every_command_of_a_page_exists_with_its_options(page: Path) -> None:
    for line in commands_of(page):
        try:
            command, given = _walk(_asked(line.rstrip("`")))
        except (KeyError, ValueError) as error:
            pytest.fail(f"{line}: {error!r}")
        known = {name for p in command.params for name in (*p.opts, *p.secondary_opts)}
        strange = [one for one in given if one not in {*known, "--help", "--debug", "--log-json"}]
        assert not strange, line


@pytest.fixture(scope="module")
def said() -> str:
    """Every text of the code that may be a message, with a mark where a value is put in."""
    found = []
    for path in (path for one in PACKAGES for path in (ROOT / one).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = (getattr(part, "value", "") for part in node.values)
                found.append("\0".join(part for part in parts if isinstance(part, str)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return "\n".join(found)


def messages_of(page: Path) -> list[str]:
    """What the tables of a page explain that begin with "It says"."""
    text = page.read_text("utf-8")
    tables = re.findall(
        r"^\| (?:[Ii]t says|[Dd]ice) \|.*\n\|[-| ]+\|\n((?:\|.*\n)+)", text, re.MULTILINE
    )
    cell = r"^\| (`[^|]+`|\*[^|]+\*) \|"
    return [one for table in tables for one in re.findall(cell, table, re.MULTILINE)]


def _is_said(part: str, said: str) -> bool:
    """Whether it stands in the code, in one piece or in two that are put together."""
    words = part.split(" ")
    cuts = ((" ".join(words[:n]), " ".join(words[n:])) for n in range(2, len(words) - 1))
    return part in said or any(one in said and other in said for one, other in cuts)


@pytest.mark.parametrize("page", TEXTS, ids=lambda path: path.name)
def test_messages_that_pages_explain_are_said_so(page: Path, said: str) -> None:
    for message in messages_of(page):
        for part in re.split(r"\.\.\.|\b\d+\b|`, `|[`*]|[\w-]+\.(?:toml|json)", message):
            assert _is_said(part.strip(" :,()'\""), said), message


@pytest.mark.parametrize("page", TEXTS, ids=lambda path: path.name)
def test_what_pages_write_into_corpus_toml_is_known(page: Path, tmp_path: Path) -> None:
    for n, block in enumerate(
        re.findall(r"^```toml\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    ):
        first = re.match(r"\[(?:annotate|corpus|publish|store|media)\]", block)
        if first:
            path = tmp_path / f"{n}.toml"
            path.write_text(block, "utf-8")
            assert config_problems(path) == []
