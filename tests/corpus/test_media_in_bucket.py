"""A corpus whose audio lies in a bucket: the same commands, the same ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus import bucket as module
from corpus import cache
from corpus.care.backup import back_up
from corpus.care.doctor import examined
from corpus.care.restore import restore
from corpus.care.verify import verify
from corpus.commands.doctor import _bucket
from corpus.records import Recording
from corpus.workspace import CONFIG_NAME, Config, Workspace
from tests.conftest import Cli
from tests.corpus.kept import all_rows, opened, unlike
from tests.corpus.made import write_tone
from tests.servers.s3 import KEY, S3, SECRET

pytestmark = pytest.mark.usefixtures("unsynced")


@pytest.fixture
def away(
    workspace: Workspace, cinta: Recording, s3: S3, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> Workspace:
    """The filled corpus, with its audio in a bucket; who fails is asked once."""
    import s3fs

    monkeypatch.setattr(module, "_TRIES", 1)
    monkeypatch.setattr(s3fs.S3FileSystem, "retries", 1)
    for path in workspace.media.root.glob("*/??/*"):
        s3.put(bucket, f"c/{path.relative_to(workspace.media.root).as_posix()}", path.read_bytes())
        path.unlink()
    config = workspace.root / CONFIG_NAME
    text = config.read_text("utf-8")
    config.write_text(text.replace('folder = "media"', f'folder = "s3://{bucket}/c"'), "utf-8")
    assert cinta.id
    return workspace


def copies(workspace: Workspace) -> set[str]:
    """The files that are at hand of a bucket."""
    return {path.name for path in (workspace.root / "cache" / "fetched").glob("*/??/*")}


def test_recordings_come_in_and_are_heard_and_purged(
    cli: Cli, away: Workspace, s3: S3, bucket: str, cinta: Recording, tmp_path: Path
) -> None:
    path = write_tone(tmp_path / "otra.wav", 2.0, 330.0)
    assert cli("collect", path).code == 0
    ids = {row["id"]: row["suffix"] for row in all_rows(away.store)["recordings"]}
    (new,) = (id_ for id_ in ids if id_ not in (cinta.id, "ab" * 32))
    keys = {f"c/original/{new[:2]}/{new}.wav", f"c/flac/{new[:2]}/{new}.flac"}
    assert keys <= s3.keys(bucket).keys()
    assert s3.keys(bucket)[f"c/original/{new[:2]}/{new}.wav"] == path.read_bytes()
    # Twice is once, and nothing is sent again.
    s3.seen.clear()
    assert cli("collect", path).code == 0
    assert not [where for method, where in s3.seen if method == "PUT"]
    assert cli("duplicates").code == 0
    assert f"{new}.flac" in copies(away)
    s3.put(bucket, f"c/clips/{new}/a-clip.flac", b"sung")
    assert cli("purge", "--recording", new[:12], "--yes").code == 0
    assert not [key for key in s3.keys(bucket) if new in key]
    assert not [name for name in copies(away) if new in name]
    assert cli("verify").code == 0


def test_a_purge_that_the_bucket_refuses_is_carried_on_with(
    cli: Cli, away: Workspace, s3: S3, bucket: str, cinta: Recording
) -> None:
    s3.rule = lambda method, _path: "403" if method == "DELETE" else ""
    ran = cli("purge", "--recording", cinta.id[:12], "--yes")
    assert (ran.code, "it is refused" in ran.err) == (1, True)
    assert cinta.id in str(s3.keys(bucket))
    s3.rule = lambda _method, _path: ""
    ran = cli("purge")
    assert (ran.code, "files removed that an earlier purge had left" in ran.err) == (0, True)
    assert s3.keys(bucket) == {}
    assert away.store.recordings() == ()


@pytest.mark.usefixtures("away")
def test_what_is_wrong_there_is_seen_and_mended(
    cli: Cli, s3: S3, bucket: str, cinta: Recording
) -> None:
    assert cli("verify").code == 0
    whole = s3.keys(bucket)
    original = f"c/original/{cinta.id[:2]}/{cinta.id}.wav"
    flac = f"c/flac/{cinta.id[:2]}/{cinta.id}.flac"
    # The copies here are whole, and say nothing of what lies there.
    s3.put(bucket, original, whole[original][:-1] + b"x")
    s3.put(bucket, flac, whole[flac][:5000])
    s3.put(bucket, "c/flac/ff/" + "f" * 64 + ".flac", b"of nobody")
    found = cli("verify", "--json")
    said = {one["place"]: one["says"] for one in found.json["problems"]}
    assert said["original"] == "is damaged: its bytes are not those that were taken in"
    assert "is damaged" in said["flac"]
    assert found.json["problems"][0]["item"] == f"s3://{bucket}/{original}"
    s3.remove(bucket, flac)
    s3.put(bucket, original, b"")
    found = cli("verify", "--quick", "--json")
    said = {one["place"]: one["says"] for one in found.json["problems"]}
    assert (said["original"], said["flac"]) == ("is empty", "is missing")
    ran = cli("verify", "--mend")
    assert "2 mended" in ran.err
    left = s3.keys(bucket)
    assert left[original] == whole[original]
    s3.remove(bucket, "c/flac/ff/" + "f" * 64 + ".flac")
    assert cli("verify").code == 0
    # A copy of another length is told of where nothing is fetched.
    s3.put(bucket, original, whole[original] + b"x")
    (problem,) = cli("verify", "--quick", "--json").json["problems"]
    assert "and its copy here" in problem["says"]


def test_what_others_purged_leaves_this_machine(
    away: Workspace, s3: S3, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "_IN_USE_S", -1.0)

    def looks(there: Workspace) -> None:
        assert verify(there).problems == ()
        assert len(copies(there)) == 3
        for key in s3.keys(bucket):
            s3.remove(bucket, key)
        assert len(verify(there, quick=True).problems) == 3
        assert copies(there) == set()

    opened(away.root, looks)


def test_it_is_backed_up_and_comes_back_here_or_stays_there(
    cli: Cli, away: Workspace, s3: S3, bucket: str, tmp_path: Path
) -> None:
    assert cli("backup", tmp_path / "b").code == 0
    s3.seen.clear()
    assert "(0 new, 0.0 MB)" in cli("backup", tmp_path / "b").err
    # What is known already is not fetched, and not even asked for one by one.
    assert len(s3.seen) <= 4
    whole = cli("restore", tmp_path / "b", tmp_path / "here")
    assert (whole.code, "audio" in whole.err) == (0, False)
    opened(tmp_path / "here", lambda here: unlike(here, all_rows(away.store)))
    assert 'folder = "media"' in (tmp_path / "here" / CONFIG_NAME).read_text("utf-8")

    assert cli("backup", tmp_path / "rows", "--no-media").code == 0
    ran = cli("restore", tmp_path / "rows", tmp_path / "again")
    assert ran.code == 0, ran.err
    assert f"not in the backup: it is where it was, in s3://{bucket}/c" in ran.err
    opened(tmp_path / "again", lambda again: unlike(again, all_rows(away.store)))
    # Where nobody answers, the rows are there all the same.
    s3.rule = lambda _method, _path: "500"
    ran = cli("restore", tmp_path / "rows", tmp_path / "silent")
    assert (ran.code, "rows and" in ran.err, "it failed" in ran.err) == (1, True, True)
    s3.rule = lambda _method, _path: ""
    opened(tmp_path / "silent", lambda silent: unlike(silent, all_rows(away.store)))


def test_a_restored_cache_is_of_this_corpus(away: Workspace, tmp_path: Path) -> None:
    config = away.root / CONFIG_NAME
    text = config.read_text("utf-8").replace('cache = "cache"', f'cache = "{tmp_path}/theirs"')
    config.write_text(text, "utf-8")
    there = Workspace.open(away.root)
    back_up(there, tmp_path / "b", media=False)
    there.store.close()
    restore(tmp_path / "b", tmp_path / "r")
    assert 'cache = "cache"' in (tmp_path / "r" / CONFIG_NAME).read_text("utf-8")


def test_trouble_is_one_line_without_secrets(
    cli: Cli, away: Workspace, s3: S3, cinta: Recording
) -> None:
    for what in ("403", "404", "500", "lost"):
        s3.rule = lambda _method, _path, what=what: what  # type: ignore[misc]  # bound now
        for verb in (("verify",), ("backup", "../b"), ("show", cinta.id[:8])):
            ran = cli(*verb)
            assert (ran.code, ran.err.count("\n")) == (1, 1), ran.err
            assert f"{away.root.name}" or ran.err
            assert KEY not in ran.err + ran.out
            assert SECRET not in ran.err + ran.out
    s3.rule = lambda _method, _path: ""
    assert not [
        path
        for path in away.root.rglob("*")
        if path.is_file() and SECRET.encode() in path.read_bytes()
    ]


def test_an_item_that_the_bucket_loses_fails_alone(
    cli: Cli, away: Workspace, s3: S3, cinta: Recording, tmp_path: Path
) -> None:
    (tmp_path / "new").mkdir()
    for i in range(3):
        write_tone(tmp_path / "new" / f"{i}.wav", 1.0, 200.0 + 50 * i)
    left = [1]

    def rule(method: str, _path: str) -> str:
        if method == "PUT" and left[0] == 0:
            return "500"
        left[0] -= method == "PUT"
        return ""

    s3.rule = rule
    ran = cli("collect", tmp_path / "new")
    assert (ran.code, "it failed" in ran.err) == (1, True)
    s3.rule = lambda _method, _path: ""
    assert cli("collect", tmp_path / "new").code == 0
    assert len(away.store.recordings()) == 5
    assert cli("verify").code == 0
    assert cinta.id


def test_the_doctor_tries_it(away: Workspace, s3: S3, bucket: str) -> None:
    config = Workspace.open(away.root).config

    def found() -> list[tuple[str, str]]:
        return [(one.what, one.state.value) for one in examined(_bucket(away.root, config))]

    before = s3.keys(bucket)
    assert found() == [("bucket", "right")]
    assert s3.keys(bucket) == before
    s3.versions(bucket)
    assert found() == [("bucket", "right"), ("versions", "absent")]
    for method in ("PUT", "GET", "HEAD", "DELETE"):
        s3.rule = lambda asked, _path, method=method: "403" if asked == method else ""  # type: ignore[misc]  # bound now
        assert found() == [("bucket", "wrong")]
    assert _bucket(away.root, Config()) == []
