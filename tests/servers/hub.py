"""A hub in memory, over real HTTP: what the clients of the Hugging Face Hub call.

Repositories with commits, branches, tags, large files (LFS), private ones and gated ones; every
request is noted with the bytes of its body, and any of them can be cut, refused or left hanging.
Tried with huggingface_hub 0.36 and 2.4, with `datasets` and with the `hf` command.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import threading
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest

from tests.servers.hub_state import LARGE, Blob, Commit, Hub, Repo
from tests.servers.hub_visit import RefusedError, Visit

__all__ = ["hub", "serving"]

_WHEN = "2026-01-01T00:00:00.000Z"


class _Api(Visit):
    """What the hub answers."""

    def whoami(self) -> None:
        if not self.user:
            raise RefusedError(401, "Invalid username or password.")
        access = {"type": "access_token", "accessToken": {"role": "write"}}
        self.say({"type": "user", "name": self.user, "orgs": [], "auth": access})

    def create(self) -> None:
        told = self.told
        owner = told.get("organization") or self.user
        if not self.user or owner != self.user:
            raise RefusedError(403 if self.user else 401, f"you may not create in {owner}")
        id_ = f"{owner}/{told['name']}"
        address = {"url": f"{self.hub.url}/datasets/{id_}"}
        if id_ in self.hub.repos:
            self.say({"error": "You already created this dataset repo", **address}, 409)
            return
        # The hub's default, and its trap: who says nothing makes it public.
        private = told.get("private", told.get("visibility") == "private")
        self.hub.create(id_, private=private)
        self.say(address)

    def settings(self, repo: str) -> None:
        held, told = self.repo(repo, write=True), self.told
        held.gated = told.get("gated", held.gated)
        if {"private", "visibility"} & told.keys():
            held.private = told.get("private", told.get("visibility") == "private")
        self.say({"private": held.private, "gated": held.gated})

    def validate(self) -> None:
        self.say({"errors": [], "warnings": []})

    def info(self, repo: str, revision: str | None = None) -> None:
        held = self.repo(repo)
        found = self.commit_of(held, revision or "main")
        told = {
            "_id": "1",
            "id": held.id,
            "author": held.id.partition("/")[0],
            "sha": found.id,
            "private": held.private,
            "gated": held.gated,
            "disabled": False,
            "lastModified": _WHEN,
            "createdAt": _WHEN,
            "downloads": 0,
            "likes": 0,
            "tags": [],
            "siblings": [{"rfilename": path} for path in sorted(found.files)],
        }
        self.say(told)

    def refs(self, repo: str) -> None:
        held = self.repo(repo)
        main = {"name": "main", "ref": "refs/heads/main", "targetCommit": held.head}
        tags = [
            {"name": name, "ref": f"refs/tags/{name}", "targetCommit": id_}
            for name, id_ in held.tags.items()
        ]
        self.say({"branches": [main], "converts": [], "tags": tags})

    def commits(self, repo: str, revision: str) -> None:
        held, made = self.repo(repo), []
        one = self.commit_of(held, revision)
        while True:
            told = {"id": one.id, "title": one.title, "message": "", "authors": [], "date": _WHEN}
            made.append(told)
            if not one.parent:
                break
            one = held.commits[one.parent]
        self.say(made, **{"X-Total-Count": str(len(made))})

    def tree(self, repo: str, revision: str, folder: str | None = None) -> None:
        held = self.repo(repo)
        found = self.commit_of(held, revision)
        start = f"{folder}/" if folder else ""
        inside = {path: one for path, one in found.files.items() if path.startswith(start)}
        if folder and not inside:
            raise RefusedError(404, f"{folder} does not exist", "EntryNotFound")
        deep = self.query.get("recursive", ["false"])[0].lower() == "true"
        entries = []
        for path, blob in sorted(inside.items()):
            if deep or "/" not in path[len(start) :]:
                entries.append(_entry(path, blob))
        self.say(entries + [_folder(name) for name in sorted(_folders(inside, start, deep=deep))])

    def paths(self, repo: str, revision: str) -> None:
        held = self.repo(repo)
        found = self.commit_of(held, revision)
        kind = self.headers.get("Content-Type", "")
        asked = self.told if "json" in kind else parse_qs(self.body.decode())
        entries: list[dict[str, object]] = []
        for path in asked["paths"]:
            if path in found.files:
                entries.append(_entry(path, found.files[path]))
            elif path in _folders(found.files, "", deep=True):
                entries.append(_folder(path))
        self.say(entries)

    def preupload(self, repo: str, revision: str) -> None:
        found = self.commit_of(self.repo(repo, write=True), revision)
        made = []
        for one in self.told["files"]:
            path = one["path"]
            mode = "lfs" if path.endswith(LARGE) else "regular"
            known = found.files.get(path)
            told = {"path": path, "uploadMode": mode, "shouldIgnore": False}
            made.append({**told, "oid": known.etag if known else None})
        self.say({"files": made})

    def batch(self, repo: str) -> None:
        held = self.repo(repo, write=True)
        made = []
        for one in self.told["objects"]:
            told = {"oid": one["oid"], "size": one["size"]}
            if one["oid"] not in held.large:
                there = f"{self.hub.url}/datasets/{repo}.git/info/lfs/objects"
                upload = {"href": f"{self.hub.url}/large/{repo}/{one['oid']}", "header": {}}
                told["actions"] = {"upload": upload, "verify": {"href": f"{there}/verify"}}
            made.append(told)
        self.say({"transfer": "basic", "objects": made})

    def upload(self, repo: str, oid: str) -> None:
        if hashlib.sha256(self.body).hexdigest() != oid:
            raise RefusedError(400, "this is not what was announced")
        self.hub.repos[repo].large[oid] = self.body
        self.respond(200, b"", "text/plain")

    def verify(self, repo: str) -> None:
        told = self.told
        held = self.repo(repo, write=True).large.get(told["oid"])
        if held is None or len(held) != told["size"]:
            raise RefusedError(404, "Object does not exist")
        self.say({})

    def commit(self, repo: str, revision: str) -> None:
        held = self.repo(repo, write=True)
        lines = [json.loads(line) for line in self.body.splitlines()]
        told = next(line["value"] for line in lines if line["key"] == "header")
        if told.get("parentCommit", held.head) != held.head or revision != "main":
            raise RefusedError(
                412,
                "A commit has happened since. Please refresh and try again.",
                "PreconditionFailed",
            )
        files = dict(held.commits[held.head].files)
        for line in lines:
            _apply(line["key"], line["value"], files, held)
        made = held.commit(told["summary"], files)
        address = f"{self.hub.url}/datasets/{repo}/commit/{made.id}"
        done = {"success": True, "commitOid": made.id, "commitUrl": address}
        self.say({**done, "pullRequestUrl": None})

    def tag(self, repo: str, revision: str) -> None:
        held = self.repo(repo, write=True)
        name = self.told["tag"]
        if name in held.tags:
            raise RefusedError(409, f"Tag reference {name} already exists")
        held.tags[name] = self.commit_of(held, revision).id
        self.say({"success": True})

    def resolve(self, repo: str, revision: str, path: str) -> None:
        held = self.repo(repo)
        if held.gated and self.user != repo.partition("/")[0]:
            raise RefusedError(403, f"Access to dataset {repo} is restricted", "GatedRepo")
        found = self.commit_of(held, revision)
        blob = found.files.get(path)
        if blob is None:
            self._refuse_entry(found)
            return
        headers = {
            "ETag": f'"{blob.etag}"',
            "X-Repo-Commit": found.id,
            "Accept-Ranges": "bytes",
            "Access-Control-Expose-Headers": "*",
        }
        if blob.large:
            headers |= {"X-Linked-Etag": f'"{blob.sha256}"', "X-Linked-Size": str(len(blob.data))}
        self._send(blob.data, headers)

    def _refuse_entry(self, found: Commit) -> None:
        told = "Entry not found"
        headers = {"X-Error-Code": "EntryNotFound", "X-Error-Message": told}
        self.say({"error": told}, 404, **{**headers, "X-Repo-Commit": found.id})

    def _send(self, data: bytes, headers: Mapping[str, str]) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if not asked:
            self.respond(200, data, "application/octet-stream", **headers)
            return
        start = int(asked[1])
        end = min(int(asked[2] or len(data)), len(data) - 1)
        if start >= len(data):
            self.respond(416, b"", "text/plain", **{"Content-Range": f"bytes */{len(data)}"})
            return
        where = {"Content-Range": f"bytes {start}-{end}/{len(data)}"}
        part = data[start : end + 1]
        self.respond(206, part, "application/octet-stream", **headers, **where)


def _entry(path: str, blob: Blob) -> dict[str, object]:
    told: dict[str, object] = {
        "type": "file",
        "path": path,
        "oid": blob.oid,
        "size": len(blob.data),
    }
    if blob.large:
        told["lfs"] = {"oid": blob.sha256, "size": len(blob.data), "pointerSize": 130}
    return told


def _folder(path: str) -> dict[str, object]:
    return {"type": "directory", "path": path, "oid": "0" * 40, "size": 0}


def _folders(files: Mapping[str, Blob], start: str, *, deep: bool) -> set[str]:
    """The folders below `start`, "" or with its slash."""
    found = set()
    for path in files:
        parts = path[len(start) :].split("/")[:-1]
        for n in range(1, len(parts) + 1 if deep else min(len(parts), 1) + 1):
            found.add(start + "/".join(parts[:n]))
    return found


def _apply(key: str, value: Any, files: dict[str, Blob], held: Repo) -> None:
    """One line of a commit."""
    path = value.get("path", "")
    if key == "file":
        files[path] = Blob(b64decode(value["content"]), large=False)
    elif key == "lfsFile":
        if value["oid"] not in held.large:
            raise RefusedError(
                400, "Your push was rejected: LFS pointer to a file that is not there"
            )
        files[path] = Blob(held.large[value["oid"]], large=True)
    elif key == "deletedFile":
        if files.pop(path, None) is None:
            raise RefusedError(404, "A file with this name doesn't exist", "EntryNotFound")
    elif key == "deletedFolder":
        for inside in [one for one in files if one.startswith(f"{path.rstrip('/')}/")]:
            del files[inside]


_REPO, _REV = r"(?P<repo>[\w.-]+/[\w.-]+)", r"(?P<revision>[^/]+|refs/[^/]+/[^/]+)"
_API = rf"/api/(?:datasets|models)/{_REPO}"
_ROUTES: tuple[tuple[str, str, Callable[..., None]], ...] = (
    ("GET", r"/api/whoami-v2", _Api.whoami),
    ("POST", r"/api/repos/create", _Api.create),
    ("POST", r"/api/validate-yaml", _Api.validate),
    ("PUT", rf"{_API}/settings", _Api.settings),
    ("GET", rf"{_API}/refs", _Api.refs),
    ("GET", rf"{_API}/commits/{_REV}", _Api.commits),
    ("GET", rf"{_API}/tree/{_REV}(?:/(?P<folder>.+))?", _Api.tree),
    ("POST", rf"{_API}/paths-info/{_REV}", _Api.paths),
    ("POST", rf"{_API}/preupload/{_REV}", _Api.preupload),
    ("POST", rf"{_API}/commit/{_REV}", _Api.commit),
    ("POST", rf"{_API}/tag/{_REV}", _Api.tag),
    ("GET", rf"{_API}(?:/revision/{_REV})?", _Api.info),
    ("POST", rf"(?:/datasets)?/{_REPO}\.git/info/lfs/objects/batch", _Api.batch),
    ("POST", rf"(?:/datasets)?/{_REPO}\.git/info/lfs/objects/verify", _Api.verify),
    ("PUT", rf"/large/{_REPO}/(?P<oid>[0-9a-f]{{64}})", _Api.upload),
    ("GET HEAD", rf"(?:/datasets)?/{_REPO}/resolve/{_REV}/(?P<path>.+)", _Api.resolve),
)
"""Methods, a pattern of the path, and who answers."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Who hangs up is no news."""


@contextlib.contextmanager
def serving() -> Iterator[Hub]:
    """A hub on this machine, in a thread."""
    held = Hub()
    handler = type("Handler", (_Api,), {"hub": held, "routes": _ROUTES})
    server = _Server(("127.0.0.1", 0), handler)
    held.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield held
    held.over.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def _hub() -> Iterator[Hub]:
    with serving() as held:
        yield held


@pytest.fixture
def hub(_hub: Hub) -> Iterator[Hub]:
    """The hub, empty and well."""
    _hub.clear()
    yield _hub
    _hub.clear()
