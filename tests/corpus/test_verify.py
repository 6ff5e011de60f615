from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from corpus.care.backup import back_up
from corpus.care.problem import Problem
from corpus.care.restore import restore
from corpus.care.verify import verify
from corpus.media import flac_bytes
from corpus.purge import chosen, purge
from corpus.records import Recording
from corpus.workspace import CONFIG_NAME, Workspace
from tests.conftest import Cli
from tests.corpus.kept import TRACK, flip, old, spoil, take_flac
from tests.corpus.made import tone
from tests.servers.postgres import Postgres

pytestmark = pytest.mark.usefixtures("unsynced")


def only(workspace: Workspace, *, quick: bool = False) -> Problem:
    (found,) = verify(workspace, quick=quick).problems
    return found


# ---- all is well


@pytest.mark.parametrize("quick", [False, True])
def test_a_whole_corpus(workspace: Workspace, cinta: Recording, quick: bool) -> None:
    seen: dict[str, tuple[int, int]] = {}
    found = verify(
        workspace, quick=quick, step=lambda what, done, of: seen.update({what: (done, of)})
    )
    # A track of a side has no original.
    assert (found.problems, found.recordings, found.files) == ((), 2, 3)
    assert seen["audio"] == (2, 2)
    assert cinta.id


def test_an_empty_one(cli: Cli) -> None:
    ran = cli("verify")
    assert (ran.code, ran.out, ran.err) == (0, "", "verify: 0 recordings, 0 files, 0 wrong\n")


# ---- audio


@pytest.mark.parametrize("at", [0, 100, 20_000, -1])
def test_one_bit_of_an_original(workspace: Workspace, cinta: Recording, at: int) -> None:
    path = workspace.media.original(cinta.id, ".wav")
    flip(path, at)
    found = only(workspace)
    assert (found.place, found.recording, found.item) == ("original", cinta.id, str(path))
    assert "its bytes are not those that were taken in" in found.says
    assert "--mend" in found.mend
    assert verify(workspace, quick=True).problems == ()


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.5, 0.9, 0.9999])
def test_one_bit_of_what_is_heard(workspace: Workspace, cinta: Recording, share: float) -> None:
    path = workspace.media.flac(TRACK)
    flip(path, int(share * path.stat().st_size))
    found = only(workspace)
    assert (found.place, found.recording, found.item) == ("flac", TRACK, str(path))
    assert "is damaged" in found.says
    assert cinta.id


def test_other_sound_of_the_same_length(workspace: Workspace, cinta: Recording) -> None:
    workspace.media.flac(TRACK).write_bytes(flac_bytes(tone(1.0, 500.0)))
    assert verify(workspace).problems == (), "a FLAC that is whole, and nobody kept its digest"
    workspace.media.flac(TRACK).write_bytes(flac_bytes(tone(1.1)))
    for quick in (False, True):
        assert only(workspace, quick=quick).says == "lasts 1.100 s, not 1.000 s"
    assert cinta.id


@pytest.mark.parametrize("quick", [False, True])
def test_audio_that_is_gone_or_empty(workspace: Workspace, cinta: Recording, quick: bool) -> None:
    workspace.media.original(cinta.id, ".wav").write_bytes(b"")
    workspace.media.flac(TRACK).unlink()
    found = {one.place: one.says for one in verify(workspace, quick=quick).problems}
    assert found == {"original": "is empty", "flac": "is missing"}
    workspace.media.original(cinta.id, ".wav").unlink()
    workspace.media.flac(TRACK).write_bytes(b"fLaC")
    found = {one.place: one.says for one in verify(workspace, quick=quick).problems}
    assert found["original"] == "is missing"
    assert found["flac"].startswith("is damaged")


def test_audio_that_may_not_be_read(
    workspace: Workspace, cinta: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", refused)
        found = verify(workspace).problems
    says = {Path(one.item).suffix: one.says for one in found if one.place != "release"}
    assert says[".wav"] == "cannot be read: Permission denied"
    assert "cannot be read" in says[".flac"]
    assert cinta.id


def test_strays(workspace: Workspace, cinta: Recording) -> None:
    media = workspace.media
    stray = old(take_flac(workspace, "0" * 63 + "1"))
    half = old(take_flac(workspace, ".part-y"))
    media.original("f" * 64, ".mp3").parent.mkdir(parents=True)
    # What is being written now may be of a recording that is being taken in.
    media.original("f" * 64, ".mp3").write_bytes(b"young")
    os.utime(media.original("f" * 64, ".mp3"), (time.time() + 60, time.time() + 60))
    found = {Path(one.item): one for one in verify(workspace).problems}
    assert set(found) == {stray, half}
    assert found[stray].says == "is of no recording"
    assert found[half].says == "is half-written"
    assert all("remove it" in one.mend for one in found.values())
    assert cinta.id


def test_bytes_of_what_was_purged(workspace: Workspace, cinta: Recording) -> None:
    (workspace.root / "releases" / "uno").rename(workspace.root / "elsewhere")
    path = workspace.media.original(cinta.id, ".wav")
    data = path.read_bytes()
    purge(workspace, chosen(workspace, recording=cinta.id), "asked")
    assert verify(workspace).problems == ()
    path.write_bytes(data)
    old(path)
    found = only(workspace)
    assert (found.place, found.says) == ("stray", "is of no recording, which was purged")
    assert found.mend == "remove it"


# ---- rows


@pytest.mark.parametrize(
    ("statement", "item", "says"),
    [
        ("DELETE FROM releases", "releases_utterances uno", "release uno is not in releases"),
        (
            "UPDATE annotations SET utterance = 'nobody'",
            "annotations",
            "utterance nobody is not in utterances",
        ),
        (
            "UPDATE releases_utterances SET utterance = 'nobody'",
            "releases_utterances uno, nobody",
            "utterance nobody is not in utterances",
        ),
        ("UPDATE drafts SET recording = 'x'", "drafts x", "recording x is not in recordings"),
        ("UPDATE matches SET recording = 'x'", "matches x", "recording x is not in recordings"),
        ("UPDATE features SET recording = 'x'", "features x", "recording x is not in recordings"),
        ("UPDATE fingerprints SET recording = 'x'", "fingerprints x", "is not in recordings"),
        ("UPDATE descriptions SET recording = 'x'", "descriptions", "is not in recordings"),
        ("UPDATE utterances SET recording = 'x'", "utterances", "is not in recordings"),
        ("UPDATE utterances SET verse = 'x'", "utterances", "verse x is not in verses"),
        ("UPDATE variants SET copla = 'x'", "variants", "copla x is not in verses"),
        (
            'UPDATE matches SET verses = replace(verses, \'"verse": "\', \'"verse": "0\')',
            "matches",
            "is not in verses",
        ),
        ("UPDATE recordings SET master = 'x' WHERE part_of = ''", "recordings", "master x is not"),
        ("UPDATE recordings SET part_of = 'x' WHERE part_of != ''", "recordings", "part_of x is"),
        (
            "UPDATE verse_sources SET verse = 'x' WHERE rowid = 1",
            "verse_sources x",
            "verse x is not in verses",
        ),
        (
            "UPDATE tombstones SET recording = (SELECT id FROM recordings WHERE part_of = '')",
            "recordings",
            "it was purged, and is there",
        ),
        ("UPDATE recordings SET duration = -1", "recordings", "a recording lasts some time"),
        ("UPDATE utterances SET score = 7", "utterances", "a score lies in 0..1"),
        ("UPDATE utterances SET words = '[{}]'", "utterances", "cannot be read"),
        ("UPDATE annotations SET verdict = 'perhaps'", "annotations", "cannot be read: verdict"),
        ("UPDATE matches SET verses = '{no'", "matches", "verses is no JSON"),
        ("UPDATE verses SET lines = ''", "verses", "lines is no JSON"),
        ("UPDATE matches SET verses = '5'", "matches", "cannot be read"),
    ],
)
def test_rows_that_name_nothing_or_cannot_be(
    workspace: Workspace, cinta: Recording, statement: str, item: str, says: str
) -> None:
    spoil(workspace, statement)
    for quick in (False, True):
        found = [one for one in verify(workspace, quick=quick).problems if one.place == "row"]
        assert any(one.item.startswith(item) and says in one.says for one in found), found
        assert all(one.mend for one in found)
    assert cinta.id


def test_a_verse_that_was_found_nowhere(cli: Cli, workspace: Workspace, cinta: Recording) -> None:
    spoil(workspace, "DELETE FROM verse_sources")
    ran = cli("verify")
    assert ran.code == 1
    assert "it is said nowhere where the verse was found" in ran.out
    assert "`corpus lyrics`" in ran.out
    assert cinta.id


def test_a_damaged_database(cli: Cli, workspace: Workspace, cinta: Recording) -> None:
    spoil(workspace, "UPDATE recordings SET title = title")
    with sqlite3.connect(workspace.root / "corpus.db") as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (root,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'ix_annotations_origin'"
        ).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    workspace.store.close()
    path = workspace.root / "corpus.db"
    data = bytearray(path.read_bytes())
    data[(root - 1) * size : root * size] = bytes(size)
    path.write_bytes(data)
    ran = cli("verify", "--json")
    assert ran.code == 1
    found = [one for one in ran.json["problems"] if one["place"] == "store"]
    assert found
    assert "corpus restore" in found[0]["mend"]
    assert cinta.id


# ---- releases


def release(workspace: Workspace) -> Path:
    return workspace.root / "releases" / "uno"


@pytest.mark.parametrize(
    ("damage", "says", "quickly"),
    [
        (lambda folder: flip(folder / "README.md"), "is damaged", False),
        (lambda folder: (folder / "README.md").unlink(), "is missing", True),
        (lambda folder: (folder / "README.md").write_bytes(b"longer"), "has 6 bytes, not 2", True),
        (lambda folder: (folder / "manifest.json").write_bytes(b"{"), "is damaged", True),
        (lambda folder: (folder / "manifest.json").unlink(), "is no release", True),
    ],
)
def test_a_damaged_release(
    workspace: Workspace,
    cinta: Recording,
    damage: Callable[[Path], None],
    says: str,
    quickly: bool,
) -> None:
    damage(release(workspace))
    found = only(workspace)
    assert (found.place, says in found.says, "`corpus pull`" in found.mend) == (
        "release",
        True,
        True,
    )
    assert (verify(workspace, quick=True).problems != ()) is quickly
    assert cinta.id


def test_the_config_is_read_first(cli: Cli, workspace: Workspace) -> None:
    (workspace.root / CONFIG_NAME).write_text("[stor]\n", "utf-8")
    ran = cli("verify")
    assert (ran.code, "unknown key 'stor': is 'store' meant?" in ran.err) == (2, True)


def test_rows_in_postgresql(
    workspace: Workspace, cinta: Recording, tmp_path: Path, postgres_server: Postgres
) -> None:
    back_up(workspace, tmp_path / "b")
    url = postgres_server.new_database()
    restore(tmp_path / "b", tmp_path / "team", store=url)
    team = Workspace.open(tmp_path / "team")
    with team.store.transaction() as transaction:
        run = transaction._connection.exec_driver_sql
        run("UPDATE utterances SET verse = 'x', score = 7")
        run("ALTER TABLE releases_utterances DROP CONSTRAINT fk_releases_utterances_release")
        run("DELETE FROM releases")
    found = [one.says for one in verify(team).problems]
    team.store.close()
    assert len(found) == 3
    assert any("verse x is not in verses" in says for says in found)
    assert any("a score lies in 0..1" in says for says in found)
    assert any("release uno is not in releases" in says for says in found)
    assert cinta.id
