"""A release goes to the hub: in one commit, under a tag.

A push is one commit: large files are sent first, where nobody sees them, then the commit points
at all of them at once, on top of what was there when it was looked at.  Cut off anywhere, the hub
holds the release before or this one; the same push again sends what is missing.
Of `huggingface_hub` both lines are understood: 0.34 to 0.36, and 1 and later.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from corpus.errors import HubError, PublishError
from corpus.media import hash_file
from corpus.publish.folder import CARD, MANIFEST, Manifest, read_manifest
from corpus.publish.hub import CHANGED, MISSING, Hub, RefusedError, at_hub, bad_path, fetched, tree
from corpus.publish.hub_card import dressed, gate_of
from corpus.publish.public import check_public, rights_of, shown

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd

__all__ = ["Gated", "Pushed", "Sent", "Step", "push"]

Gated = Literal["auto", "manual"]
Step = Callable[[str, int, int], None]
"""Told what is done, how much of it, and of how much."""

_OURS = ("data/", "plots/", "pointers/", "missing.csv")
"""Places at the hub that are the release's alone: what else lies there goes."""

_TAG = re.compile(r"(?!.*\.\.)\w(?:[\w.-]*[\w-])?(?<!\.lock)")
"""What git lets a tag be called, and a release: told before anything is sent."""

_BATCH = 8
"""Files that are asked for together: as many are looked at again after a cut."""

_RACES = 5
"""How often a push begins anew because somebody else was faster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A file of a release as it stands at the hub; whether this push sends it."""

    path: str
    bytes: int
    sent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """What was pushed, or, of a dry run, would be.

    `gated` is "" where everybody gets in who may see it; `commit` is "" in a dry run.  A dry run
    that did not reach the hub goes by one that holds nothing; `unreached` says why it did not.
    """

    release: str
    repo: str
    url: str
    tag: str
    commit: str
    private: bool
    gated: str
    files: tuple[Sent, ...]
    removed: tuple[str, ...]
    rights: Mapping[str, int]
    card: str
    unreached: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ware:
    """A file that is to stand at the hub: a path on this machine, or its bytes."""

    content: Path | bytes
    size: int
    sha256: str

    def is_at(self, found: Any) -> bool:
        """Whether a file at the hub is this one."""
        if found is None or found.size != self.size:
            return False
        if found.lfs:
            return bool(found.lfs.sha256 == self.sha256)
        return bool(found.blob_id == _git_name(self.data))

    @property
    def data(self) -> bytes:
        return self.content if isinstance(self.content, bytes) else self.content.read_bytes()


@dataclass(frozen=True, slots=True, kw_only=True)
class _There:
    """What the hub holds: head of main, its files, tags; nothing where there is no repository.

    Nor is anything known where it is `unreached`, for the reason that is told.
    """

    head: str = ""
    private: bool = True
    gated: str = ""
    files: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    unreached: str = ""

    @property
    def holds_release(self) -> bool:
        return MANIFEST in self.files


def push(
    folder: Path,
    repo: str,
    *,
    private: bool = True,
    gated: Gated | None = None,
    gate: Mapping[str, Any] | None = None,
    tag: str = "",
    dry_run: bool = False,
    token: str | None = None,
    step: Step | None = None,
) -> Pushed:
    """Put the release in a folder on the hub as the dataset `repo`, "owner/name", under a tag.

    The tag is the release's name where none is given.  `gate` is what the card asks of who wants
    access (`extra_gated_*`); what it asked before stays where nothing is given.  Without a token
    HF_TOKEN counts, or who logged in; the hub is HF_ENDPOINT, as it was when the client of the
    hub was imported.
    Raises PublishError where the release is damaged or may not be public, HubError for all else.
    """
    told = read_manifest(folder)
    rights = rights_of(folder)
    if not private:
        # Who is let in by hand was asked what for; `auto` lets in whoever asks.
        check_public(told.name, rights, sound=bool(told.codec), asked=gated == "manual")
    with at_hub(repo, token) as hub:
        if not hub.token and not dry_run:
            raise HubError("nobody is logged in: `hf auth login`, or set HF_TOKEN")
        run = _Push(hub=hub, folder=folder, told=told, private=private, gated=gated, gate=gate)
        return run.carried_out(
            tag or told.name, shown(rights), None if dry_run else step or _silent
        )


def _silent(_what: str, _done: int, _total: int) -> None:
    """Nobody is told."""


# ---- one push


@dataclass(slots=True, kw_only=True)
class _Push:
    hub: Hub
    folder: Path
    told: Manifest
    private: bool
    gated: Gated | None
    gate: Mapping[str, Any] | None
    _additions: dict[str, CommitOperationAdd] = field(default_factory=dict)

    def carried_out(self, tag: str, rights: Mapping[str, int], step: Step | None) -> Pushed:
        """Push, or without `step` only say what would be pushed."""
        if not _TAG.fullmatch(tag):
            raise HubError(f"'{tag}' is no name for a tag: give another --tag")
        there = _look(self.hub) if step else _look_if_reached(self.hub)
        self._check(there, tag)
        wares = self._wares(there)
        sent = {path: not ware.is_at(there.files.get(path)) for path, ware in wares.items()}
        removed = _stale(there, wares)
        commit = ""
        if step:
            there = self._settled(there)
            commit = self._published(there, wares, step)
            if tag not in there.tags:
                self._tag(tag, commit)
        return Pushed(
            release=self.told.name,
            repo=self.hub.repo,
            url=self.hub.url,
            tag=tag,
            commit=commit,
            private=self.private,
            gated=self.gated or there.gated,
            files=tuple(
                Sent(path=path, bytes=ware.size, sent=sent[path]) for path, ware in wares.items()
            ),
            removed=removed,
            rights=rights,
            card=wares[CARD].data.decode("utf-8", "replace"),
            unreached=there.unreached,
        )

    def _check(self, there: _There, tag: str) -> None:
        """Raise HubError where a release may not go there."""
        repo, foreign = self.hub.repo, set(there.files) - {CARD, ".gitattributes"}
        if foreign and not there.holds_release:
            raise HubError(
                f"{repo} holds something else ({min(foreign)}) and no release: name another"
            )
        if there.head and self.private and not there.private:
            raise HubError(
                f"{repo} is public: push with --public, or make it private at {self.hub.url}"
            )
        if there.holds_release and there.private and not self.private:
            raise HubError(
                f"{repo} is private, and with it all that was pushed there before would become "
                "public: push to a new one"
            )
        if there.holds_release and there.gated == "manual" and self.gated == "auto":
            raise HubError(
                f"{repo} is for whom you let in, and all that was pushed there before would be "
                "for whoever asks: keep --gated manual, or push to a new one"
            )
        if tag in there.tags and not self._is_tagged(tag):
            raise HubError(f"{repo} has another release under the tag {tag}: give another --tag")

    def _wares(self, there: _There) -> dict[str, _Ware]:
        """What is to stand at the hub, by path: the card in the hub's dress."""
        bad = "no card" if CARD not in self.told.files else bad_path(self.told.files)
        if bad:
            raise PublishError(f"{self.folder / MANIFEST} names {bad}: make the release anew")
        wares = {}
        for path, file in sorted(self.told.files.items()):
            here = self.folder / path
            if not here.is_file() or here.stat().st_size != file.bytes:
                raise PublishError(f"{here} is missing or cut short: get the release again")
            wares[path] = _Ware(content=here, size=file.bytes, sha256=file.sha256)
        wares[MANIFEST] = _of_bytes((self.folder / MANIFEST).read_bytes())
        gate = self._gate_there(there) if self.gate is None else self.gate
        card = (self.folder / CARD).read_text("utf-8")
        wares[CARD] = _of_bytes(dressed(card, self.told.rows, gate).encode())
        return wares

    def _gate_there(self, there: _There) -> dict[str, Any]:
        """What who asks for access is asked by now."""
        if not there.gated or CARD not in there.files:
            return {}
        return gate_of(fetched(self.hub, CARD, there.head).decode("utf-8", "replace"))

    def _settled(self, there: _There) -> _There:
        """A repository with the settings that are wanted, before anything is in it."""
        if not there.head:
            self.hub.ask_of(self.hub.api.create_repo, private=self.private, exist_ok=True)
            there = _look(self.hub)
            # Somebody else may have made it meanwhile, and otherwise.
            self._check(there, "")
        changes: dict[str, Any] = {}
        if there.private != self.private:
            changes["private"] = self.private
        if self.gated and self.gated != there.gated:
            changes["gated"] = self.gated
        if changes:
            self.hub.ask_of(self.hub.api.update_repo_settings, **changes)
        return there

    def _published(
        self, there: _There, wares: Mapping[str, _Ware], step: Step, races: int = _RACES
    ) -> str:
        """The commit that holds all of it; somebody else's that came between is built upon."""
        changed = [path for path, ware in wares.items() if not ware.is_at(there.files.get(path))]
        removed = _stale(there, wares)
        if not changed and not removed:
            return there.head
        self._upload({path: wares[path] for path in changed}, step)
        try:
            return self._commit(there.head, changed, removed, wares)
        except RefusedError as error:
            if error.status not in CHANGED or not races:
                raise
        return self._published(_look(self.hub), wares, step, races - 1)

    def _upload(self, wares: Mapping[str, _Ware], step: Step) -> None:
        """Send large files to where the commit will point; those that are there are not sent."""
        from huggingface_hub import CommitOperationAdd

        total, done = sum(ware.size for ware in wares.values()), 0
        step("pushing", 0, total)
        for batch in _batches(list(wares), _BATCH):
            for path in batch:
                if path not in self._additions:
                    self._additions[path] = CommitOperationAdd(path, _checked(wares[path]))
            additions = [self._additions[path] for path in batch]
            self.hub.ask_of(
                self.hub.api.preupload_lfs_files, additions, num_threads=4, free_memory=False
            )
            done += sum(wares[path].size for path in batch)
            step("pushing", done, total)

    def _commit(
        self,
        parent: str,
        changed: Sequence[str],
        removed: Sequence[str],
        wares: Mapping[str, _Ware],
    ) -> str:
        from huggingface_hub import CommitOperationDelete

        operations = [
            *(self._additions[path] for path in changed),
            *(CommitOperationDelete(path) for path in removed),
        ]
        # Made again after a cut it is refused as stale, should it have been done before.
        done = self.hub.ask_of(
            self.hub.api.create_commit,
            operations,
            commit_message=f"Release {self.told.name}",
            parent_commit=parent,
        )
        found = tree(self.hub, done.oid)
        if lost := [path for path, ware in wares.items() if not ware.is_at(found.get(path))]:
            raise HubError(
                f"{self.hub.repo} took the commit without {lost[0]}: see its .gitignore, push again"
            )
        return str(done.oid)

    def _tag(self, tag: str, commit: str) -> None:
        """Name the commit; that it was named before an answer was cut off is as well."""
        self.hub.ask_of(self.hub.api.create_tag, tag=tag, revision=commit, exist_ok=True)
        if not self._is_tagged(tag):
            raise HubError(
                f"{self.hub.repo} got another release under the tag {tag} meanwhile: give another "
                "--tag"
            )

    def _is_tagged(self, tag: str) -> bool:
        """Whether what stands under a tag is this release, in whatever dress."""
        mine = _of_bytes((self.folder / MANIFEST).read_bytes())
        found = self.hub.ask_of(self.hub.api.get_paths_info, [MANIFEST], revision=tag)
        return any(mine.is_at(one) for one in found)


def _of_bytes(data: bytes) -> _Ware:
    return _Ware(content=data, size=len(data), sha256=hashlib.sha256(data).hexdigest())


def _checked(ware: _Ware) -> Path | bytes:
    """What is sent of a file; raises PublishError where it is not what the manifest says."""
    if isinstance(ware.content, Path) and hash_file(ware.content) != ware.sha256:
        raise PublishError(f"{ware.content} is damaged: get the release again")
    return ware.content


def _git_name(data: bytes) -> str:
    """What git calls a file: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _stale(there: _There, wares: Iterable[str]) -> tuple[str, ...]:
    """Files at the hub of the release before, which this one does not have."""
    mine = set(wares)
    return tuple(path for path in there.files if path.startswith(_OURS) and path not in mine)


def _batches(paths: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(paths), size):
        yield paths[start : start + size]


# ---- what is at the hub


def _look_if_reached(hub: Hub) -> _There:
    """What it holds, for a dry run: files, rights and card can be told without a line."""
    try:
        return _look(hub)
    except RefusedError as error:
        if error.status:
            raise
        return _There(unreached=str(error))


def _look(hub: Hub) -> _There:
    try:
        info = hub.ask_of(hub.api.repo_info)
    except RefusedError as error:
        if error.status in MISSING:
            return _There()
        raise
    refs, head = hub.ask_of(hub.api.list_repo_refs), info.sha or ""
    return _There(
        head=head,
        private=bool(info.private),
        gated=info.gated or "",
        files=tree(hub, head),
        tags={tag.name: tag.target_commit for tag in refs.tags},
    )
