"""The stage: utterances of a workspace become a dataset folder and a release in the store."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpus.errors import PublishError
from corpus.publish.card import CardFacts, card
from corpus.publish.dataset import row, write_split
from corpus.publish.splits import assign
from corpus.records import Release, ReleasedUtterance, Tier, Utterance
from corpus.run import now
from corpus.workspace import Workspace

__all__ = ["Published", "publish"]

_RANK = {Tier.BRONZE: 0, Tier.SILVER: 1, Tier.GOLD: 2}

Track = Callable[[Sequence[Utterance]], Iterable[Utterance]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What was published: rows and seconds a split, and what was left out by reason."""

    folder: str
    rows: tuple[tuple[str, int], ...]
    seconds: float
    left_out: tuple[tuple[str, int], ...]


def publish(
    workspace: Workspace,
    folder: Path,
    *,
    shares: Mapping[str, float],
    min_tier: Tier = Tier.SILVER,
    track: Track = iter,
) -> Published:
    """Write a dataset that `datasets.load_dataset(folder)` opens.

    Raises PublishError when the folder is taken or there is nothing to publish,
    MediaError when audio is missing; the folder appears whole or not at all.
    """
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise PublishError(f"{folder} is taken: a release is not overwritten, name another folder")
    everything = workspace.store.utterances()
    chosen = tuple(u for u in everything if _RANK[u.tier] >= _RANK[min_tier])
    n_below = len(everything) - len(chosen)
    if not chosen:
        raise PublishError(_nothing(len(everything), min_tier))
    recordings = {recording.id: recording for recording in workspace.store.recordings()}
    split_of = assign(chosen, recordings, shares)
    release = _release(workspace, folder.resolve().name, split_of)
    facts = CardFacts(
        name=workspace.config.corpus.name,
        language=workspace.config.corpus.language,
        utterances=chosen,
        split_of=split_of,
        recordings=recordings,
        verses={verse.id: verse for verse in workspace.store.verses()},
        left_out=((f"below {min_tier.value}", n_below),) if n_below else (),
    )
    rows = _write(workspace, folder, facts, track)
    with workspace.store.transaction() as transaction:
        transaction.save([release])
    return Published(
        folder=str(folder),
        rows=rows,
        seconds=sum(u.duration for u in chosen),
        left_out=facts.left_out,
    )


def _nothing(n_known: int, min_tier: Tier) -> str:
    if not n_known:
        return "there are no utterances yet: run `corpus align` first"
    return (
        f"none of the {n_known} utterances is {min_tier.value} or better: "
        "correct them, or lower the bar with --min-tier bronze"
    )


def _write(
    workspace: Workspace, folder: Path, facts: CardFacts, track: Track
) -> tuple[tuple[str, int], ...]:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _scratch(folder.parent) as scratch:
            written = _fill(workspace, scratch, facts, track)
            if folder.is_dir():
                folder.rmdir()
            scratch.rename(folder)
    except OSError as error:
        raise PublishError(f"cannot write {folder}: {error.strerror or error}") from error
    return written


@contextlib.contextmanager
def _scratch(parent: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=".publishing-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _fill(
    workspace: Workspace, folder: Path, facts: CardFacts, track: Track
) -> tuple[tuple[str, int], ...]:
    (folder / "data").mkdir()
    written = []
    ordered = sorted(facts.utterances, key=lambda u: (u.recording, u.start))
    for split in ("train", "validation", "test"):
        mine = [u for u in ordered if facts.split_of[u.id] == split]
        n_rows = write_split(_rows(workspace, facts, track(mine)), folder / "data", split)
        if n_rows:
            written.append((split, n_rows))
    (folder / "README.md").write_text(card(facts), "utf-8")
    folder.chmod(0o755)
    return tuple(written)


def _rows(
    workspace: Workspace, facts: CardFacts, utterances: Iterable[Utterance]
) -> Iterator[dict[str, Any]]:
    for utterance in utterances:
        recording = facts.recordings[utterance.recording]
        yield row(utterance, recording, facts.verses.get(utterance.verse), workspace.media)


def _release(workspace: Workspace, name: str, split_of: Mapping[str, str]) -> Release:
    """The release to be; refused where one of that name holds something else."""
    utterances = tuple(
        ReleasedUtterance(utterance=id_, split=split) for id_, split in sorted(split_of.items())
    )
    for known in workspace.store.releases():
        if known.name == name and set(known.utterances) != set(utterances):
            raise PublishError(f"a release named {name} exists with other utterances: name another")
    return Release(name=name, made=now(), utterances=utterances)
