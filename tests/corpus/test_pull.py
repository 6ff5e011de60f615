"""Releases come back from the hub: whole, or not at all."""

from __future__ import annotations

import contextlib
import json
import shutil
from pathlib import Path

import pytest

from corpus.errors import DiskFullError, HubError, PublishError
from corpus.publish.folder import CARD, MANIFEST
from corpus.publish.pull import pull
from corpus.publish.push import push
from tests.corpus.hub_releases import ALWAYS, REPO, change_at_hub, contents, published
from tests.servers.hub_state import Fault, Hub

Releases = dict[str, Path]

pytestmark = pytest.mark.usefixtures("online")


def test_another_release_of_that_name_stays(releases: Releases, tmp_path: Path) -> None:
    push(releases["v1"], REPO)
    mine = tmp_path / "v1"
    shutil.copytree(releases["v2"], mine)
    with pytest.raises(HubError, match="holds something else: pull it under another --name"):
        pull(REPO, tmp_path)
    assert contents(mine) == contents(releases["v2"])
    (tmp_path / "folder").mkdir()
    with pytest.raises(HubError, match="holds something else"):
        pull(REPO, tmp_path, name="folder")


def test_a_release_that_is_damaged_here_is_mended(releases: Releases, tmp_path: Path) -> None:
    push(releases["v1"], REPO)
    folder = Path(pull(REPO, tmp_path).folder)
    assert pull(REPO, tmp_path).fetched == 0
    with (folder / "data/train-a.parquet").open("r+b") as data:
        data.write(b"nada")
    (folder / "data/train-b.parquet").unlink()
    again = pull(REPO, tmp_path)
    assert again.fetched == 2
    assert contents(folder) == contents(releases["v1"])
    assert [path.name for path in tmp_path.iterdir()] == ["v1"]


@pytest.mark.parametrize("kind", ["cut", 500])
def test_a_pull_that_fails_at_any_request_goes_on_where_it_was(
    hub: Hub, releases: Releases, tmp_path: Path, kind: str | int
) -> None:
    push(releases["v1"], REPO)
    fetched = 0
    for at in range(1, 100):
        hub.calm()
        hub.fault = fault = Fault(kind, at=at, times=ALWAYS)
        root = tmp_path / str(at)
        with contextlib.suppress(HubError):
            pull(REPO, root)
        if fault.seen < at:
            break
        assert not (root / "v1").exists()
        here = len(list((root / ".pulling-v1").glob("data/*"))) if root.exists() else 0
        fetched = max(fetched, here)
        hub.calm()
        assert pull(REPO, root).fetched <= 8 - here
        assert contents(root / "v1") == contents(releases["v1"])
    assert at > 15
    assert fetched == 6


def test_what_another_release_left_behind_does_not_come_in(
    releases: Releases, tmp_path: Path
) -> None:
    push(releases["v1"], REPO)
    left = tmp_path / ".pulling-v1" / "data"
    left.mkdir(parents=True)
    (left / "train-other.parquet").write_bytes(b"PAR1")
    (left / "train-a.parquet").write_bytes(b"PAR1")
    assert contents(Path(pull(REPO, tmp_path).folder)) == contents(releases["v1"])


def test_what_was_changed_at_the_hub_is_told(hub: Hub, releases: Releases, tmp_path: Path) -> None:
    push(releases["v1"], REPO)
    change_at_hub(hub, **{"README.md": b"---\nlicense: mit\n---\nby hand"})
    with pytest.raises(HubError, match=r"README.md of pena/cante is not what .* another --rev"):
        pull(REPO, tmp_path)
    assert contents(Path(pull(REPO, tmp_path, revision="v1").folder)) == contents(releases["v1"])
    change_at_hub(hub, **{"README.md": None, "data/train-a.parquet": None})
    with pytest.raises(HubError, match=r"lacks README.md, which its manifest.json names"):
        pull(REPO, tmp_path / "other")


def test_what_is_no_release_is_told(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(HubError, match="pena/cante is not at the hub, or not for you to see"):
        pull(REPO, tmp_path)
    hub.create(REPO, private=True)
    with pytest.raises(HubError, match=r"holds no release: it has no manifest.json"):
        pull(REPO, tmp_path)
    with pytest.raises(HubError, match="Invalid rev id: v9"):
        pull(REPO, tmp_path, revision="v9")
    change_at_hub(hub, **{"manifest.json": b'{"name": 3}'})
    with pytest.raises(HubError, match=r"the manifest.json of pena/cante is damaged"):
        pull(REPO, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "path", ["../out", "/etc/x", "data/../../x", "a\\b", "C:x", ".cache/x", "", "a//b", MANIFEST]
)
def test_a_manifest_that_names_files_elsewhere_is_refused(
    hub: Hub, tmp_path: Path, path: str
) -> None:
    hub.create(REPO, private=True)
    told = {"name": "v1", "made": "", "files": {path: {"sha256": "0", "bytes": 1}}}
    change_at_hub(hub, **{"manifest.json": json.dumps(told).encode()})
    with pytest.raises(HubError, match="a file with a bad name"):
        pull(REPO, tmp_path)
    folder = tmp_path / "mine"
    folder.mkdir()
    told["files"] |= {CARD: {"sha256": "0", "bytes": 1}}  # type: ignore[operator]  # a dict
    (folder / MANIFEST).write_text(json.dumps(told), "utf-8")
    with pytest.raises(PublishError, match="names"):
        push(folder, REPO)


@pytest.mark.parametrize("name", ["../v1", "a/b", "", ".v1"])
def test_a_name_that_no_folder_may_have_is_refused(hub: Hub, tmp_path: Path, name: str) -> None:
    hub.create(REPO, private=True)
    change_at_hub(hub, **{"manifest.json": json.dumps({"name": name, "made": ""}).encode()})
    with pytest.raises(HubError, match="is no name for a release"):
        pull(REPO, tmp_path)


def test_a_full_disk_is_told(
    releases: Releases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(releases["v1"], REPO)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    manifest = (releases["v1"] / MANIFEST).read_bytes()
    monkeypatch.setattr("huggingface_hub.HfApi.hf_hub_download", full)
    monkeypatch.setattr("corpus.publish.pull.fetched", lambda *_: manifest)
    with pytest.raises(DiskFullError, match="no room left on the disk"):
        pull(REPO, tmp_path)


def test_a_damaged_release_is_not_pushed(hub: Hub, releases: Releases, tmp_path: Path) -> None:
    folder = tmp_path / "v1"
    shutil.copytree(releases["v1"], folder)
    # In the page of a column that says nothing of rights.
    data = bytearray((folder / "data/train-b.parquet").read_bytes())
    data[1000] ^= 1
    (folder / "data/train-b.parquet").write_bytes(data)
    with pytest.raises(PublishError, match=r"train-b.parquet is damaged"):
        push(folder, REPO)
    assert published(hub) == {}
    (folder / "plots/hours.png").unlink()
    with pytest.raises(PublishError, match=r"hours.png is missing or cut short"):
        push(folder, REPO)
