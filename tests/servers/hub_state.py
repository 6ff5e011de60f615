"""What a hub in memory holds: repositories, commits, files; what it was asked, what goes wrong."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

__all__ = ["LARGE", "OTHER", "OWNER", "USERS", "Asked", "Blob", "Commit", "Fault", "Hub", "Repo"]

OWNER, OTHER = "hf_oWnErOfPena", "hf_oThErReader"
"""The tokens of two people: `pena`, whose namespace it is, and `otra`."""

USERS = {OWNER: "pena", OTHER: "otra"}
LARGE = (".parquet", ".png", ".safetensors")


@dataclass(frozen=True)
class Blob:
    """A file in a commit."""

    data: bytes
    large: bool

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @property
    def oid(self) -> str:
        """The name that git gives it; of a large one, what its pointer would be called."""
        return hashlib.sha1(b"blob %d\0" % len(self.data) + self.data).hexdigest()  # noqa: S324

    @property
    def etag(self) -> str:
        return self.sha256 if self.large else self.oid


@dataclass(frozen=True)
class Commit:
    id: str
    title: str
    parent: str
    files: Mapping[str, Blob]


@dataclass
class Repo:
    id: str
    private: bool
    gated: str | bool = False
    commits: dict[str, Commit] = field(default_factory=dict)
    head: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    large: dict[str, bytes] = field(default_factory=dict)

    def commit(self, title: str, files: Mapping[str, Blob]) -> Commit:
        """Put a commit on top."""
        told = repr((len(self.commits), title, self.head, sorted(files)))
        made = Commit(hashlib.sha1(told.encode()).hexdigest(), title, self.head, dict(files))  # noqa: S324
        self.commits[made.id] = made
        self.head = made.id
        return made

    def at(self, revision: str) -> Commit | None:
        known = {"main": self.head, "refs/heads/main": self.head, **self.tags}
        return self.commits.get(known.get(revision, revision))

    @property
    def files(self) -> dict[str, bytes]:
        """What everybody gets who asks for no revision."""
        return {path: blob.data for path, blob in self.commits[self.head].files.items()}


@dataclass(frozen=True)
class Asked:
    """A request: the bytes of its body, and what was answered; 0 where nothing was."""

    method: str
    path: str
    received: int
    status: int


@dataclass
class Fault:
    """What goes wrong from the `at`-th request on (counted from 1), so many times.

    `kind` is "cut" (the line goes before anything is done), "half" (half of the body comes),
    "deaf" (it is done, and the line goes before the answer), "hang" (no answer for `seconds`),
    or a status to refuse with.  `path` is a pattern: only such requests count.
    """

    kind: str | int
    at: int = 1
    times: float = 1
    path: str = ""
    seconds: float = 3.0
    headers: Mapping[str, str] = field(default_factory=dict)
    seen: int = 0

    def hits(self, method: str, path: str) -> bool:
        if not re.search(self.path, f"{method} {path}"):
            return False
        self.seen += 1
        return self.at <= self.seen < self.at + self.times


@dataclass
class Hub:
    """Where it is, what it holds, what it was asked, and what goes wrong with it."""

    url: str = ""
    repos: dict[str, Repo] = field(default_factory=dict)
    log: list[Asked] = field(default_factory=list)
    fault: Fault | None = None
    before: Callable[[str, str], None] | None = None
    lock: threading.RLock = field(default_factory=threading.RLock)
    over: threading.Event = field(default_factory=threading.Event)

    def clear(self) -> None:
        self.repos.clear()
        self.calm()

    def calm(self) -> None:
        """Nothing goes wrong any more, and nothing was asked."""
        # Who was asked before and is still at it notes it in the old one.
        self.log = []
        self.fault = self.before = None

    def create(self, id_: str, *, private: bool) -> Repo:
        made = self.repos[id_] = Repo(id_, private)
        rules = "".join(f"*{end} filter=lfs diff=lfs merge=lfs -text\n" for end in LARGE)
        made.commit("initial commit", {".gitattributes": Blob(rules.encode(), large=False)})
        return made

    @property
    def received(self) -> int:
        return sum(one.received for one in self.log)
