from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from corpus import tables
from corpus.lyrics.web.base import Page
from corpus.lyrics.web.pages import PageStore
from corpus.media import Media
from corpus.records import (
    Annotation,
    Decision,
    Draft,
    Features,
    Match,
    MatchedVerse,
    Recording,
    Release,
    ReleasedUtterance,
    Utterance,
    Variant,
    Verdict,
    Verse,
)
from corpus.rows import AlignedRecording
from corpus.run import Item, Outcome, run_stage
from corpus.workspace import Workspace
from tests.conftest import Cli
from tests.corpus.made import recording, utterance, verse, write_tone

MARINA = verse("por la calle abajo", source="/letras/a.txt")
OTHER = verse("por la calle arriba", source="/letras/b.txt")
SHARED = verse("dos caminos", source="/letras/a.txt", position=1)


def everything(workspace: Workspace, one: Recording, *verses: Verse) -> list[Utterance]:
    """One row in every table that a recording leaves something in."""
    made = [replace(utterance(one, v.text, float(k)), verse=v.id) for k, v in enumerate(verses)]
    matched = tuple(MatchedVerse(verse=v.id, score=1.0, reason="made") for v in verses)
    said = Annotation(
        utterance=made[0].id,
        annotator="a",
        made="2026-01-01T00:00:00+00:00",
        verdict=Verdict.RIGHT,
        text=made[0].text,
        start=made[0].start,
        end=made[0].end,
    )
    listed = tuple(ReleasedUtterance(utterance=u.id, split="train") for u in made)
    with workspace.store.transaction() as transaction:
        transaction.save([one, *verses])
        transaction.save([Features(recording=one.id, measures=(("lufs", -20.0),), marks=())])
        transaction.save([Draft(recording=one.id, model="base", segments=())])
        transaction.save([Match(recording=one.id, verses=matched, decision=Decision.ACCEPTED)])
        transaction.save([AlignedRecording(recording=one.id, utterances=tuple(made)), said])
        transaction.save([Release(name=one.title, made="2026", utterances=listed)])
    run_stage(
        workspace.store,
        "align",
        [Item(key=one.id, inputs="x", payload=None)],
        lambda _: Outcome(),
    )
    return made


def rows_with(workspace: Workspace, text: str) -> list[str]:
    """The tables in which a text still stands."""
    engine = sa.create_engine(f"sqlite:///{workspace.root / 'corpus.db'}")
    with engine.connect() as connection:
        found = [
            table.name
            for table in tables.metadata.sorted_tables
            if text in str(connection.execute(sa.select(table)).all())
        ]
    engine.dispose()
    return found


@pytest.fixture
def collected(cli: Cli, workspace: Workspace, tmp_path: Path) -> tuple[Recording, Path]:
    path = write_tone(tmp_path / "La Niña - Soleá.wav")
    assert cli("collect", str(path)).code == 0
    (one,) = workspace.store.recordings()
    return one, path


def test_everything_of_a_singer_goes_and_nothing_else(
    cli: Cli, workspace: Workspace, collected: tuple[Recording, Path]
) -> None:
    one, path = collected
    kept = recording("b", artist="El Otro")
    made = everything(workspace, one, MARINA)
    others = everything(workspace, kept, MARINA, OTHER)
    ran = cli("purge", "--artist", "LA NIÑA", "--reason", "asked by the family", "--yes")
    assert ran.code == 0
    assert "purge: 2 files removed" in ran.err
    assert rows_with(workspace, one.id) == ["tombstones"]
    assert rows_with(workspace, made[0].id) == []
    assert not [p for p in workspace.media.root.rglob("*") if p.is_file()]
    assert path.is_file()  # what lies outside is not ours
    assert workspace.store.recordings() == (kept,)
    assert len(workspace.store.utterances()) == len(others) == 2
    assert len(workspace.store.verses()) == 2


def test_what_was_purged_is_not_taken_in_again(cli: Cli, collected: tuple[Recording, Path]) -> None:
    one, path = collected
    assert cli("purge", "--recording", one.id[:10], "--reason", "asked", "--yes").code == 0
    path.touch()
    again = cli("collect", str(path))
    assert again.code == 1
    assert "(asked): it is not taken in again" in again.err


def test_the_letras_of_a_source_and_what_they_cut(cli: Cli, workspace: Workspace) -> None:
    one, other = recording("a"), recording("b")
    everything(workspace, one, MARINA, OTHER, SHARED)
    everything(workspace, other, MARINA)
    elsewhere = replace(SHARED, sources=(replace(SHARED.sources[0], source="/mine/c.txt"),))
    with workspace.store.transaction() as transaction:
        transaction.save([elsewhere, Variant(verse=MARINA.id, copla=OTHER.id)])
    assert cli("purge", "--source", "/letras/a", "--yes").code == 0
    assert {v.id for v in workspace.store.verses()} == {OTHER.id, SHARED.id}
    assert [u.verse for u in workspace.store.utterances()] == [OTHER.id, SHARED.id]
    (match,) = workspace.store.matches()
    assert [v.verse for v in match.verses] == [OTHER.id, SHARED.id]
    assert workspace.store.coplas() == {}
    assert len(workspace.store.recordings()) == 2


def test_the_pages_of_a_site_go_with_its_letras(cli: Cli, workspace: Workspace) -> None:
    pages = PageStore(workspace.root / "lyrics" / "coplas")
    for url in ("https://coplas.example/1", "https://coplas.example/2", "https://otra.example/1"):
        pages.save(Page(url=url, status=200, body=b"ay"))
    (pages.folder / "broken.page").write_bytes(b"no page")
    said = cli("purge", "--source", "https://coplas.example/", "--yes").err
    assert "2 pages that were fetched" in said
    assert "2 files removed" in said
    assert sorted(path.name for path in pages.folder.iterdir()) == sorted(
        ["broken.page", pages.path("https://otra.example/1").name]
    )


def test_pictures_and_pages_of_a_recording_go_with_it(cli: Cli, workspace: Workspace) -> None:
    one, other = recording("one"), recording("other")
    with workspace.store.transaction() as transaction:
        transaction.save([one, other])
    for folder, name in (("sides", "{0:.12}.png"), ("show", "cante-{0:.8}.html")):
        (workspace.root / folder).mkdir()
        for mine in (one, other):
            (workspace.root / folder / name.format(mine.id)).touch()
    assert "2 files removed" in cli("purge", "--recording", one.id, "--yes").err
    left = {
        path.name for folder in ("sides", "show") for path in (workspace.root / folder).iterdir()
    }
    assert left == {f"{other.id[:12]}.png", f"cante-{other.id[:8]}.html"}


def test_the_tracks_of_a_side_go_with_it(cli: Cli, workspace: Workspace) -> None:
    side = recording("side")
    track = replace(recording("track"), part_of=side.id, offset=3.0)
    with workspace.store.transaction() as transaction:
        transaction.save([side, track, recording("other")])
    assert cli("purge", "--recording", side.id, "--yes").code == 0
    assert [one.title for one in workspace.store.recordings()] == ["other"]


@pytest.mark.parametrize("same", [True, False])
def test_killed_between_rows_and_bytes_the_next_purge_ends_it(
    cli: Cli,
    workspace: Workspace,
    collected: tuple[Recording, Path],
    monkeypatch: pytest.MonkeyPatch,
    *,
    same: bool,
) -> None:
    one, _ = collected
    again = ("--recording", one.id) if same else ()

    def killed(*_: object) -> int:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(Media, "remove", killed)
        cli("purge", "--recording", one.id, "--yes")
    assert workspace.store.recordings() == ()
    assert workspace.media.flac(one.id).is_file()
    ran = cli("purge", *again, "--yes")
    assert (ran.code, ran.err) == (0, "purge: 2 files removed that an earlier purge had left\n")
    assert not workspace.media.flac(one.id).exists()
    assert cli("purge").code == 2


def test_a_dry_run_removes_nothing(cli: Cli, collected: tuple[Recording, Path]) -> None:
    one, _ = collected
    ran = cli("purge", "--recording", one.id, "--dry-run", "--json")
    assert ran.json["recordings"][0]["id"] == one.id
    assert len(cli("recordings", "--json").json) == 1


def test_without_yes_it_asks(cli: Cli, collected: tuple[Recording, Path]) -> None:
    one, _ = collected
    assert cli("purge", "--recording", one.id).code == 1
    assert len(cli("recordings", "--json").json) == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "say what is to go"),
        (["--artist", "Nadie"], "nothing here is of that source or singer"),
        (["--recording", "ffff"], "no recording has an id that begins with ffff"),
    ],
)
def test_nothing_to_remove(cli: Cli, arguments: list[str], told: str) -> None:
    ran = cli("purge", *arguments, "--yes")
    assert ran.code == 2
    assert told in ran.err
