"""What every place for audio does, be it a folder of this disk, a bucket, or what fsspec knows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from corpus import bucket as module
from corpus import cache
from corpus.bucket import Bucket
from corpus.depot import Depot, FolderDepot, Kept
from corpus.errors import DiskFullError, MediaError, MissingExtraError
from corpus.media import FlacSamples, flac_bytes
from tests.servers.s3 import KEY, S3, SECRET

KEY_A, KEY_B = "flac/ab/abc.flac", "flac/cd/cdé 1.flac"
MB = 1e6


@pytest.fixture(params=["folder", "s3", "file"])
def depot(request: pytest.FixtureRequest, tmp_path: Path) -> Depot:
    if request.param == "folder":
        return FolderDepot(tmp_path / "media")
    if request.param == "file":
        return Bucket(f"file://{tmp_path}/there", tmp_path / "cache", MB)
    name = request.getfixturevalue("bucket")
    return Bucket(f"s3://{name}/mine", tmp_path / "cache", MB)


def put(depot: Depot, key: str, data: bytes) -> None:
    with depot.writing(key) as scratch:
        scratch.write_bytes(data)


def listed(depot: Depot, under: str) -> dict[str, int]:
    return {one.key: one.n_bytes for one in depot.kept(under)}


# ---- every depot


def test_what_is_put_there_is_there(depot: Depot) -> None:
    assert depot.told(KEY_A) is None
    assert not depot.here(KEY_A).exists()
    assert not depot.fresh(KEY_A).exists()
    assert listed(depot, "flac/") == {}
    assert depot.remove(KEY_A) == 0
    before = time.time_ns() - 2_000_000_000
    for key in (KEY_A, KEY_B):
        put(depot, key, key.encode())
        told = depot.told(key)
        assert isinstance(told, Kept)
        assert (told.key, told.n_bytes) == (key, len(key.encode()))
        assert before < told.changed < time.time_ns() + 2_000_000_000
        assert depot.here(key).read_bytes() == depot.fresh(key).read_bytes() == key.encode()
        assert depot.at_hand(key) == depot.here(key)
    put(depot, "original/ab/abc.wav", b"x")
    assert listed(depot, "flac/") == {KEY_A: 16, KEY_B: 19}
    assert listed(depot, "flac/ab/ab") == {KEY_A: 16}
    assert listed(depot, "original/") == {"original/ab/abc.wav": 1}
    put(depot, KEY_A, b"other")
    assert depot.here(KEY_A).read_bytes() == b"other"
    assert (depot.remove(KEY_A), depot.remove(KEY_A)) == (1, 0)
    assert not depot.here(KEY_A).exists()
    assert listed(depot, "flac/") == {KEY_B: 19}


def test_what_fails_half_way_is_not_there(depot: Depot) -> None:
    put(depot, KEY_A, b"whole")

    def half(key: str) -> None:
        with depot.writing(key) as scratch:
            scratch.write_bytes(b"ha")
            raise MediaError("power cut")

    for key in (KEY_A, KEY_B):
        with pytest.raises(MediaError, match="power cut"):
            half(key)
    assert depot.fresh(KEY_A).read_bytes() == b"whole"
    assert listed(depot, "flac/") == {KEY_A: 5}
    assert not list(depot.folder.rglob(".part-*"))


# ---- a bucket


@pytest.fixture
def kept(bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """A bucket whose server is waited for a moment, and asked once; copies are free at once."""
    import s3fs

    monkeypatch.setattr(module, "_TRIES", 1)
    monkeypatch.setattr(s3fs.S3FileSystem, "retries", 1)
    monkeypatch.setattr(cache, "_IN_USE_S", -1.0)
    return Bucket(f"s3://{bucket}/mine/", tmp_path / "cache", MB)


def test_only_what_is_below_its_address_is_seen(kept: Bucket, s3: S3, bucket: str) -> None:
    put(kept, KEY_A, b"a")
    s3.put(bucket, "mine-too/flac/ab/x.flac", b"other")
    s3.put(bucket, "flac/ab/x.flac", b"other")
    assert set(s3.keys(bucket)) == {f"mine/{KEY_A}", "mine-too/flac/ab/x.flac", "flac/ab/x.flac"}
    assert listed(kept, "flac/") == {KEY_A: 1}
    assert kept.name(KEY_A) == f"s3://{bucket}/mine/{KEY_A}"


def test_what_others_send_and_remove_is_seen_at_once(kept: Bucket, s3: S3, bucket: str) -> None:
    assert listed(kept, "flac/") == {}
    s3.put(bucket, f"mine/{KEY_A}", b"theirs")
    assert listed(kept, "flac/") == {KEY_A: 6}
    assert kept.here(KEY_A).read_bytes() == b"theirs"
    s3.put(bucket, f"mine/{KEY_A}", b"theirs anew")
    assert kept.here(KEY_A).read_bytes() == b"theirs"
    assert kept.fresh(KEY_A).read_bytes() == b"theirs anew"
    s3.remove(bucket, f"mine/{KEY_A}")
    assert kept.told(KEY_A) is None
    # The copy stays until somebody looks over all of it.
    assert kept.at_hand(KEY_A) is not None
    put(kept, KEY_B, b"b")
    kept.tidy({KEY_B})
    assert (kept.at_hand(KEY_A), kept.at_hand(KEY_B) is None) == (None, False)


@pytest.mark.usefixtures("kept")
def test_a_long_recording_goes_in_parts(s3: S3, bucket: str, tmp_path: Path) -> None:
    n_bytes = 101 << 20  # s3fs sends parts of 50 MiB from 100 MiB on
    kept = Bucket(f"s3://{bucket}/mine", tmp_path / "roomy", 1e9)

    def send() -> None:
        with kept.writing(KEY_A) as scratch, scratch.open("wb") as file:
            file.truncate(n_bytes)

    s3.rule = lambda _method, path: "403" if "partNumber=3" in path else ""
    with pytest.raises(MediaError, match="it is refused"):
        send()
    assert (kept.told(KEY_A), s3.unfinished(bucket)) == (None, 0)
    s3.rule = lambda _method, _path: ""
    send()
    assert s3.unfinished(bucket) == 0
    assert listed(kept, "flac/") == {KEY_A: n_bytes}
    assert kept.fresh(KEY_A).stat().st_size == n_bytes
    assert [where for method, where in s3.seen if method == "PUT" and "partNumber=3" in where]


def test_what_was_used_longest_ago_goes(kept: Bucket, tmp_path: Path) -> None:
    keys = [f"flac/ab/{i}.flac" for i in range(6)]
    for key in keys:
        put(kept, key, bytes(300_000))
        time.sleep(0.02)
        kept.here(keys[0])
    assert held(tmp_path) == {"0.flac", "4.flac", "5.flac"}
    # All of it is still there, and comes back.
    assert len(listed(kept, "flac/")) == 6
    assert kept.here(keys[1]).stat().st_size == 300_000
    assert sum(p.stat().st_size for p in (tmp_path / "cache").rglob("*.flac")) <= MB
    put(kept, "flac/ab/large.flac", bytes(1_500_000))
    # What is larger than all of it stands alone, until the next.
    kept.here(keys[2])
    assert held(tmp_path) == {"2.flac"}


def held(tmp_path: Path) -> set[str]:
    return {path.name for path in (tmp_path / "cache" / "fetched").rglob("*.flac")}


def test_what_is_in_use_stays(
    kept: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "_IN_USE_S", 60.0)
    half = tmp_path / "cache" / "fetched" / "flac" / "ab" / ".part-x.flac"
    for i in range(5):
        put(kept, f"flac/ab/{i}.flac", bytes(300_000))
    assert len(held(tmp_path)) == 5
    half.write_bytes(bytes(10))
    for age, stays in ((600, True), (7200, False)):
        for path in (*half.parent.glob("[0-3].flac"), half):
            os.utime(path, (time.time() - age, time.time() - age))
        put(kept, f"flac/ab/{age}.flac", bytes(300_000))
        assert half.exists() is stays
    assert held(tmp_path) == {"4.flac", "600.flac", "7200.flac"}


def test_a_recording_that_is_cleared_away_while_it_is_read(kept: Bucket) -> None:
    import numpy as np

    put(kept, KEY_A, flac_bytes(np.linspace(-0.5, 0.5, 16_000, dtype=np.float32)))
    samples = FlacSamples(kept.here(KEY_A), lambda: kept.here(KEY_A))
    first = samples.read(0, 100)
    kept.at_hand(KEY_A).unlink()  # type: ignore[union-attr]  # it is at hand
    assert (samples.read(0, 100) == first).all()
    kept.remove(KEY_A)
    with pytest.raises(MediaError, match="damaged: run `corpus verify --mend`"):
        samples.read(0, 100)


USER = """
import json, sys
from pathlib import Path
from corpus import cache
from corpus.bucket import Bucket
cache._IN_USE_S = 0.2
depot = Bucket(sys.argv[1], Path(sys.argv[2]), 1e6)
me, wrong = int(sys.argv[3]), 0
for i in range(12):
    key = f"flac/ab/{(i * 7 + me * 5) % 6}.flac"
    wrong += depot.here(key).stat().st_size != 300_000
    with depot.writing(f"flac/cd/{me}-{i}.flac") as scratch:
        scratch.write_bytes(bytes(1000))
print(json.dumps(wrong))
"""


def test_several_processes_share_a_cache(tmp_path: Path) -> None:
    there = Bucket(f"file://{tmp_path}/there", tmp_path / "cache", MB)
    for i in range(6):
        put(there, f"flac/ab/{i}.flac", bytes(300_000))
    users = [
        subprocess.Popen(
            [sys.executable, "-c", USER, there.address, str(tmp_path / "cache"), str(me)],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parent.parent.parent,
        )
        for me in range(3)
    ]
    told = [user.communicate(timeout=120)[0] for user in users]
    assert [json.loads(one) for one in told] == [0, 0, 0]
    assert len(listed(there, "flac/cd/")) == 36
    for path in (tmp_path / "cache").rglob("*.flac"):
        os.utime(path, (0, 0))
    there._cache.make_room()
    assert sum(p.stat().st_size for p in (tmp_path / "cache").rglob("*.flac")) <= MB


# ---- what goes wrong there

REFUSED = r"refused \(.*\): the credentials must be let"
AWAY = "cannot be reached, or broke off: look at the network, then run again"
FAILED = r"failed \(.*\): run again"


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("403", REFUSED),
        ("404", "no such bucket: make it, or look at folder under"),
        ("500", FAILED),
        ("503", FAILED),
        ("cut", AWAY),
        ("short", AWAY),
        ("lost", AWAY),
    ],
)
def test_each_trouble_is_one_line_and_nothing_half_is_seen(
    kept: Bucket, s3: S3, bucket: str, tmp_path: Path, what: str, says: str
) -> None:
    s3.put(bucket, f"mine/{KEY_A}", bytes(1000))
    s3.rule = lambda method, _path: what if method == "GET" else ""
    for call in (lambda: kept.fresh(KEY_A), lambda: list(kept.kept("flac/"))):
        told = one_line(call)
        assert kept.address in told
    s3.rule = lambda method, _path: what if method == "PUT" else ""
    if what not in {"cut", "short"}:
        one_line(lambda: put(kept, KEY_B, b"new"), says)
    assert list(tmp_path.rglob("*.flac")) == []
    s3.rule = lambda _method, _path: ""
    # It went well, only nobody heard.
    assert (kept.told(KEY_B) is not None) is (what == "lost")
    put(kept, KEY_B, b"new")
    assert kept.fresh(KEY_B).read_bytes() == b"new"
    assert kept.fresh(KEY_A).read_bytes() == bytes(1000)


def one_line(call: object, says: str = ".") -> str:
    with pytest.raises(MediaError, match=says) as told:
        call()  # type: ignore[operator]  # a function without arguments
    said = str(told.value)
    assert "\n" not in said
    assert KEY not in said
    assert SECRET not in said
    # --debug shows the whole chain: nothing of a request is in it.
    assert told.value.__suppress_context__
    return said


def test_what_breaks_off_is_asked_for_again(
    kept: Bucket, s3: S3, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_TRIES", 3)
    s3.put(bucket, f"mine/{KEY_A}", bytes(1000))
    left = ["500", "cut"]

    def rule(method: str, _path: str) -> str:
        return left.pop() if left and method == "GET" else ""

    s3.rule = rule
    assert kept.fresh(KEY_A).read_bytes() == bytes(1000)
    assert left == []


def test_who_does_not_answer_is_not_waited_for_twice(
    kept: Bucket, s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_TRIES", 3)
    monkeypatch.setattr(module, "_READ_S", 0.5)
    s3.rule = lambda _method, _path: "hang"
    one_line(lambda: kept.told(KEY_A), "takes too long")
    assert len(s3.seen) == 1


def test_nobody_is_there(kept: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    fresh_sessions()
    one_line(lambda: kept.told(KEY_A), AWAY)


def test_without_credentials(kept: Bucket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    fresh_sessions()
    one_line(lambda: kept.told(KEY_A), "no credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    fresh_sessions()
    one_line(lambda: put(kept, KEY_A, b""), "no credentials")


def fresh_sessions() -> None:
    """Forget what was read of the environment."""
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()


def test_another_bucket_than_there_is(kept: Bucket, tmp_path: Path) -> None:
    absent = Bucket("s3://nobody-has-this/x", tmp_path / "other", MB)
    for call in (
        lambda: absent.told(KEY_A),
        lambda: list(absent.kept("flac/")),
        lambda: put(absent, KEY_A, b"x"),
    ):
        one_line(call, "no such bucket: make it, or look at folder under")
    assert kept.told(KEY_A) is None


def test_addresses_that_nobody_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MediaError, match="no address that fsspec knows"):
        Bucket("nosuch://x/y", tmp_path, MB).told(KEY_A)
    with pytest.raises(MediaError, match="gs://x/y needs another package"):
        Bucket("gs://x/y", tmp_path, MB).told(KEY_A)
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, "s3", raising=False)
    with pytest.raises(MissingExtraError, match=r"pip install 'cante-corpus\[s3\]'"):
        Bucket("s3://x/y", tmp_path, MB).told(KEY_A)


def test_no_room_for_a_copy(
    kept: Bucket, s3: S3, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.put(bucket, f"mine/{KEY_A}", bytes(1000))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Bucket, "_fetch", full)
    with pytest.raises(DiskFullError, match=f"no room left on the disk for {tmp_path}"):
        kept.here(KEY_A)
    assert held(tmp_path) == set()
