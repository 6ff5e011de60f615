"""Clips in a bucket, heard from a real Label Studio by addresses that it signs."""

from __future__ import annotations

from base64 import urlsafe_b64decode as b64decode
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from annotate.bucket import reaching
from annotate.labelstudio import LabelStudio
from annotate.server import Running
from annotate.stage import to_hear
from annotate.sync import Pushed, Sound, push_to
from corpus import bucket as module
from corpus.depot import S3Place
from corpus.errors import AnnotationServerError
from corpus.media import flac_bytes
from corpus.workspace import CONFIG_NAME, Workspace
from tests.annotate.pushed import ALL, UNO
from tests.servers.label_studio import logged_in
from tests.servers.s3 import KEY, S3, SECRET


@pytest.fixture
def away(corpus: Workspace, s3: S3, bucket: str) -> Workspace:
    """The corpus with its audio in a bucket."""
    flac = corpus.media.flac(UNO.id)
    s3.put(bucket, f"mine/{flac.relative_to(corpus.media.root).as_posix()}", flac.read_bytes())
    flac.unlink()
    config = corpus.root / CONFIG_NAME
    text = config.read_text("utf-8")
    config.write_text(text.replace('folder = "media"', f'folder = "s3://{bucket}/mine"'), "utf-8")
    return Workspace.open(corpus.root)


def push(away: Workspace, server: LabelStudio, title: str) -> Pushed:
    sound = Sound(bucket=away.media.depot.s3())
    return push_to(away, server, title, to_hear(away), sound)


def test_clips_are_heard_by_signed_addresses(
    away: Workspace, server: LabelStudio, title: str, label_studio: Running, s3: S3, bucket: str
) -> None:
    project = push(away, server, title).project
    samples = away.media.samples(UNO.id)
    with logged_in(label_studio) as session:
        for task in server.changed_tasks(project):
            one = next(one for one in ALL if one.id == task["data"]["external_id"])
            key = f"mine/clips/{UNO.id}/{one.id}.flac"
            # As a browser is told: the task holds the place, and who asks for it is sent on.
            path = task["data"]["audio"]
            place = parse_qs(urlsplit(path).query)["fileuri"][0]
            assert b64decode(place).decode() == f"s3://{bucket}/{key}"
            sent_on = session.get(path)
            assert sent_on.status_code == 303
            signed = sent_on.headers["location"]
            told = parse_qs(urlsplit(signed).query)
            assert told["X-Amz-Expires"] == ["900"]
            assert SECRET not in signed
            # The address alone is enough, and only a person who is logged in gets it.
            first, last = (round(at * 16_000) for at in (one.start - 0.5, one.end + 0.5))
            heard = httpx.get(signed, trust_env=False)
            assert heard.content == flac_bytes(samples.read(first, last - first))
            bare = httpx.get(f"{server.url}{path}", trust_env=False)
            assert "location" not in bare.headers or "X-Amz" not in bare.headers["location"]
    # Twice is once: no clip is sent again, no storage is made again.
    s3.seen.clear()
    assert push(away, server, title).known == len(ALL)
    assert not [where for method, where in s3.seen if method == "PUT"]
    (storage,) = server._sdk.import_storage.s3.list(project=project)
    assert (storage.bucket, storage.prefix) == (bucket, "mine/clips")
    assert not (away.root / "annotate" / "clips").exists()
    away.store.close()


def test_a_server_that_may_not_read_there_is_one_line(
    away: Workspace, server: LabelStudio, title: str, s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = away.media.depot.s3()
    assert place is not None
    # Its own questions are told from ours by who asks.
    monkeypatch.setattr(module.Bucket, "s3", lambda _: place)
    push_clips = Sound(bucket=place)
    s3.rule = lambda _method, path: "403" if "prefix=mine%2Fclips&" in path and _his(path) else ""
    with pytest.raises(AnnotationServerError, match="it needs credentials to read there") as told:
        push_to(away, server, title, to_hear(away), push_clips)
    said = str(told.value)
    assert "\n" not in said
    assert KEY not in said
    assert SECRET not in said
    s3.rule = lambda _method, _path: ""
    assert push(away, server, title).new == len(ALL)
    away.store.close()


def _his(path: str) -> bool:
    """Whether a listing is the server's, which asks for one file."""
    return "max-keys=1" in path.lower()


def test_what_a_server_here_is_let_have(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_PROFILE", "cante")
    monkeypatch.delenv("AWS_CONFIG_FILE", raising=False)
    own = reaching(S3Place(bucket="b", prefix="", region="eu-south-2"))
    assert own["AWS_PROFILE"] == "cante"
    assert own["AWS_CONFIG_FILE"] == f"{tmp_path}/.aws/config"
    assert "amazonaws.com" in own["NO_PROXY"]
    other = S3Place(bucket="b", prefix="", region="x", endpoint="https://s3.example.org:9000")
    assert reaching(other)["NO_PROXY"] == "127.0.0.1,localhost,s3.example.org"
