"""A release comes back from the hub: into a folder of its name, each file checked.

What is fetched lies in a hidden folder beside it until all of it is there and right, so that a
pull that was cut off goes on where it was.
"""

from __future__ import annotations

import contextlib
import errno
import re
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from corpus.errors import DiskFullError, HubError, PublishError
from corpus.media import hash_file
from corpus.publish.folder import (
    CARD,
    MANIFEST,
    File,
    Manifest,
    data_files,
    read_manifest,
    rows_of,
    split_of,
)
from corpus.publish.hub import MISSING, Hub, RefusedError, at_hub, bad_path, fetched
from corpus.publish.hub_card import undressed
from corpus.publish.push import Step
from corpus.records import Release, ReleasedUtterance
from corpus.workspace import Workspace

__all__ = ["Pulled", "attach", "pull"]

_NAME = re.compile(r"\w[\w.-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """What was pulled where: files, and how many of them and of their bytes were fetched."""

    release: str
    repo: str
    commit: str
    folder: str
    files: int
    fetched: int
    fetched_bytes: int


def pull(
    repo: str,
    releases: Path,
    *,
    revision: str = "",
    name: str = "",
    token: str | None = None,
    step: Step | None = None,
) -> Pulled:
    """Bring the release that is the dataset `repo` at a tag, branch or commit into `releases`.

    Its folder is called by `name`, else as the release is.  A folder that holds the same release
    is mended where files are missing or damaged; one that holds another is left alone: HubError,
    as for whatever the hub refuses, and for files that are not what the manifest says.
    """
    with at_hub(repo, token) as hub:
        commit, manifest = _asked(hub, revision)
        told = _understood(hub, manifest)
        if not _NAME.fullmatch(name or told.name):
            raise HubError(f"'{name or told.name}' is no name for a release: give a --name")
        target = releases / (name or told.name)
        _check_target(target, manifest)
        with _disk(target):
            run = _Pull(hub=hub, commit=commit, target=target, manifest=manifest)
            n_files, n_bytes = run.carried_out(told.files, step)
        return Pulled(
            release=told.name,
            repo=repo,
            commit=commit,
            folder=str(target),
            files=len(told.files) + 1,
            fetched=n_files,
            fetched_bytes=n_bytes,
        )


def attach(workspace: Workspace, folder: Path) -> int:
    """Let a corpus know a release, if all its utterances are the corpus's own; else how many not.

    The name is the folder's.  Raises PublishError where it knows another release by that name.
    """
    told = read_manifest(folder)
    split_by_id = {
        row["id"]: split_of(file) for file in data_files(folder) for row in rows_of(file, ("id",))
    }
    # Its own are also those that people threw out, or that were aligned anew since.
    foreign = len(split_by_id.keys() - workspace.store.aligned_utterances().keys())
    if foreign:
        return foreign
    rows = tuple(
        ReleasedUtterance(utterance=id_, split=split) for id_, split in sorted(split_by_id.items())
    )
    for known in workspace.store.releases():
        if known.name == folder.name and set(known.utterances) != set(rows):
            raise PublishError(
                f"this corpus knows another release named {folder.name}: delete {folder}, and pull "
                "it under another --name"
            )
    with workspace.store.transaction() as transaction:
        transaction.save([Release(name=folder.name, made=told.made, utterances=rows)])
    return 0


# ---- what is at the hub


def _asked(hub: Hub, revision: str) -> tuple[str, bytes]:
    """The commit that is meant, and the manifest in it: all files come from that one."""
    commit = str(hub.ask_of(hub.api.repo_info, revision=revision or None).sha)
    try:
        return commit, fetched(hub, MANIFEST, commit)
    except RefusedError as error:
        if error.status not in MISSING:
            raise
        raise HubError(f"{hub.repo} holds no release: it has no {MANIFEST}") from None


def _understood(hub: Hub, manifest: bytes) -> Manifest:
    """A manifest, which may name no file outside its folder."""
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / MANIFEST).write_bytes(manifest)
        try:
            told = read_manifest(Path(scratch))
        except PublishError:
            raise HubError(f"the {MANIFEST} of {hub.repo} is damaged: push it again") from None
    if bad := bad_path(told.files):
        raise HubError(f"the release in {hub.repo} has a file with a bad name: {bad}")
    return told


def _check_target(target: Path, manifest: bytes) -> None:
    if not target.exists():
        return
    known = target / MANIFEST
    if not known.is_file() or known.read_bytes() != manifest:
        raise HubError(f"{target} holds something else: pull it under another --name")


# ---- one pull


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pull:
    hub: Hub
    commit: str
    target: Path
    manifest: bytes

    @property
    def scratch(self) -> Path:
        return self.target.with_name(f".pulling-{self.target.name}")

    def carried_out(self, files: Mapping[str, File], step: Step | None) -> tuple[int, int]:
        """Fetch what is missing; how many files that were, and bytes."""
        missing = {path: one for path, one in files.items() if not _is(self.target / path, one)}
        self._clear(missing)
        n_files, n_bytes = 0, 0
        total = sum(one.bytes for one in missing.values())
        done = 0
        for path, one in missing.items():
            if not _is(self.scratch / path, one):
                self._fetch(path, one)
                n_files, n_bytes = n_files + 1, n_bytes + one.bytes
            done += one.bytes
            if step:
                step("pulling", done, total)
        self._settle(missing)
        return n_files, n_bytes

    def _clear(self, files: Collection[str]) -> None:
        """Take away what another release of that name left when it was cut off."""
        for path in [one for one in self.scratch.rglob("*") if one.is_file()]:
            inside = path.relative_to(self.scratch).as_posix()
            # Where the client keeps what came before a cut.
            if inside not in files and not inside.startswith(".cache/"):
                path.unlink()

    def _fetch(self, path: str, wanted: File) -> None:
        """One file into the scratch folder; raises HubError where it is not what it should be."""
        here = self.scratch / path
        here.unlink(missing_ok=True)
        try:
            self.hub.ask_of(
                self.hub.api.hf_hub_download,
                path,
                revision=self.commit,
                local_dir=self.scratch,
            )
        except RefusedError as error:
            if error.status in MISSING:
                raise HubError(
                    f"{self.hub.repo} lacks {path}, which its {MANIFEST} names"
                ) from None
            raise
        if path == CARD:
            here.write_bytes(undressed(here.read_bytes().decode("utf-8", "replace")).encode())
        if not _is(here, wanted):
            here.unlink()
            raise HubError(
                f"{path} of {self.hub.repo} is not what its {MANIFEST} says (changed there?): "
                "pull another --revision, as its tag"
            )

    def _settle(self, missing: Mapping[str, File]) -> None:
        """Give the files their place: a new folder at once, in an old one each of its own."""
        scratch = self.scratch
        if self.target.exists():
            for path in missing:
                (self.target / path).parent.mkdir(parents=True, exist_ok=True)
                (scratch / path).replace(self.target / path)
            shutil.rmtree(scratch, ignore_errors=True)
            return
        scratch.mkdir(parents=True, exist_ok=True)
        (scratch / MANIFEST).write_bytes(self.manifest)
        # Where the client notes what it has fetched.
        shutil.rmtree(scratch / ".cache", ignore_errors=True)
        scratch.rename(self.target)


def _is(path: Path, wanted: File) -> bool:
    """Whether a file is there, and the one that is wanted."""
    return (
        path.is_file() and path.stat().st_size == wanted.bytes and hash_file(path) == wanted.sha256
    )


@contextlib.contextmanager
def _disk(target: Path) -> Iterator[None]:
    """What the disk refuses, in one line."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DiskFullError(
                f"no room left on the disk for {target}: make room, pull again"
            ) from error
        raise HubError(f"cannot write {target}: {error.strerror or error}") from error
