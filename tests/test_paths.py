"""No title and no name leads out of the folder that a file is made in."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.commands.look import _file_name
from corpus.lyrics.web.intake import open_source
from corpus.lyrics.web.pages import PageStore
from corpus.publish.hub import _NAME
from corpus.records import Recording
from corpus.workspace import Workspace
from tests.conftest import Cli
from tests.corpus.kept import all_files

PATHS = (
    "../x",
    "/etc/x",
    "..",
    ".",
    "a/../../x",
    "a\\..\\x",
    "~/x",
    "C:\\x",
    "a/b",
    "-x",
    "x\0y",
    "",
)
titles = st.text(
    st.one_of(st.sampled_from("./\\~:\0\n\r* ?"), st.characters(codec="utf-8")), max_size=90
)


@given(title=st.one_of(titles, st.sampled_from(PATHS)))
def test_a_page_of_any_title_lies_in_its_folder(title: str) -> None:
    name = _file_name(Recording(id="a" * 64, source="/x", duration=1.0, title=title))
    assert not set(name) & set("/\\:\0\n\r*?~")
    assert not name.startswith(".")
    assert len(f"{name}.html".encode()) <= 255


@given(url=titles)
def test_a_page_of_any_address_lies_in_its_folder(url: str) -> None:
    assert PageStore(Path("/folder")).path(f"https://a.example/{url}").parent == Path("/folder")


@pytest.mark.parametrize("name", PATHS)
def test_a_release_has_a_plain_name(
    cli: Cli, workspace: Workspace, tmp_path: Path, name: str
) -> None:
    before = all_files(tmp_path)
    ran = cli("release", "--", name)
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "is no name for a release" in ran.err
    assert all_files(tmp_path) == before
    assert workspace.store.releases() == ()


@pytest.mark.parametrize("name", [*PATHS, "a", "a/b/c", "../a/b", "a/..", "a--b/c", "a/b..c"])
def test_a_repository_is_owner_and_name(name: str) -> None:
    assert name == "a/b" or not _NAME.fullmatch(name)


@pytest.mark.parametrize("blog", ["https://../x", "https://a/../../x", "https://a%2f..%2fb/"])
def test_pages_of_a_blog_lie_in_one_folder(blog: str) -> None:
    name = open_source(f"blogger:{blog}").name
    assert Path(name).name == name
