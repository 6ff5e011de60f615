"""The stage: utterances of a workspace become a release: a folder that never changes, and a name.

`datasets.load_dataset` opens the folder.  The same utterances, audio and options give the
same bytes, file by file; a change in one recording changes one file.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from corpus.engine import Engine
from corpus.errors import PublishError
from corpus.publish.about import about_of, strata_of
from corpus.publish.card import card
from corpus.publish.choose import Chosen, Wanted, choose
from corpus.publish.clips import Codec
from corpus.publish.columns import About, copla_of
from corpus.publish.divide import Divided, Row, divide, leaks
from corpus.publish.folder import (
    CARD,
    MANIFEST,
    Manifest,
    check_free,
    making,
    read_manifest,
    write_manifest,
)
from corpus.publish.noted import check_name, moment, note, note_made, unnoted
from corpus.publish.plots import draw
from corpus.publish.pointers import write_pointers
from corpus.publish.shards import Track, Wares, write_rows
from corpus.publish.splits import groups_of
from corpus.publish.tally import tally
from corpus.records import Release, ReleasedUtterance, Utterance
from corpus.workspace import Workspace

__all__ = ["PICTURE", "Options", "Released", "finish", "release", "released"]

PICTURE = "plots/hours.png"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a release is to be: shares of the seconds by split, what goes in, and how.

    `fixed_test` is an earlier release, whose test set stays; with `pointers` no sound goes in;
    `agreement` is how far people agree, as the card tells it.
    """

    shares: Mapping[str, float]
    wanted: Wanted = field(default_factory=Wanted)
    codec: Codec = Codec.FLAC
    fixed_test: str = ""
    pointers: bool = False
    agreement: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """What was released: rows and hours a split, what was left out and set aside, by reason.

    `fixed_test_gone` are rows of the earlier test set that are not in it; `busy` is the share of
    the time of its `workers` in which they worked (None: it was one process).
    """

    name: str
    folder: str
    rows: Mapping[str, int]
    hours: Mapping[str, float]
    left_out: Mapping[str, int]
    set_aside: Mapping[str, int]
    fixed_test_gone: int = 0
    workers: int = 1
    busy: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Test:
    """An earlier test set; `older` are those of it that were aligned anew since, as they were.

    `purged` is how many of it were purged, which the store knows nothing of any more.
    """

    ids: tuple[str, ...] = ()
    older: tuple[Utterance, ...] = ()
    purged: int = 0


def release(
    workspace: Workspace,
    name: str,
    folder: Path,
    options: Options,
    *,
    engine: Engine | None = None,
    track: Track = iter,
) -> Released:
    """Freeze what is wanted under a name, and write it into a folder that is not there yet.

    Clips are cut by the workers of the engine: threads of this process where none is named.
    Raises PublishError when the folder or the name is taken, or there is nothing to release,
    MediaError when audio is missing; the folder appears whole or not at all.
    """
    there = unnoted(workspace.store, name, folder)
    if there is None:
        check_free(folder)
    about = about_of(workspace)
    test = _earlier_test(workspace, options.fixed_test)
    chosen = _chosen(workspace, about, options, test.older)
    divided = _divided(workspace, name, chosen, about, options, test)
    frozen = _frozen(workspace, name, divided)
    check_name(workspace.store, frozen)
    if there is not None:
        note_made(workspace.store, frozen, there, folder)
        return released(there, folder)
    wares = Wares(
        utterances=[one for one in chosen.utterances if one.id in divided.split_of],
        split_of=divided.split_of,
        about=about,
        media=workspace.media,
        codec=None if options.pointers else options.codec,
    )
    with making(folder) as scratch:
        (scratch / "data").mkdir()
        workers, busy = write_rows(scratch / "data", wares, track, engine)
        recordings = dict.fromkeys(one.recording for one in wares.utterances)
        if options.pointers:
            write_pointers(scratch, workspace.media, recordings)
        told = _told(workspace, frozen, options, chosen, divided)
        counts = {
            "fixed_test_gone": test.purged + sum(id_ not in divided.split_of for id_ in test.ids),
            "not_compared": sum(not about.codes.get(one) for one in recordings),
        }
        told = finish(scratch, told.model_copy(update=counts))
        note(workspace.store, frozen)
    return replace(released(told, folder), workers=workers, busy=busy)


def finish(folder: Path, told: Manifest) -> Manifest:
    """Count the rows of a folder, write its card, picture and manifest; what is told then.

    Raises PublishError where a singer, copla or master stands in two splits.
    """
    found = tally(folder)
    if found.shared:
        raise PublishError(f"{found.shared[0]} is in two splits: report this")
    whole = told.model_copy(
        update={
            "rows": {split: share.utterances for split, share in found.splits.items()},
            "hours": {split: share.hours for split, share in found.splits.items()},
        }
    )
    (folder / PICTURE).parent.mkdir()
    draw(found, folder / PICTURE)
    (folder / CARD).write_text(card(whole, found), "utf-8")
    write_manifest(folder, whole)
    return whole


def released(told: Manifest, folder: Path) -> Released:
    """What is told of a release that was made."""
    return Released(
        name=told.name,
        folder=str(folder),
        rows=told.rows,
        hours=told.hours,
        left_out=told.left_out,
        set_aside=told.set_aside,
        fixed_test_gone=told.fixed_test_gone,
    )


def _told(
    workspace: Workspace, frozen: Release, options: Options, chosen: Chosen, divided: Divided
) -> Manifest:
    config = workspace.config
    return Manifest(
        name=frozen.name,
        made=frozen.made,
        made_with={
            "version": version("cante-corpus"),
            "aligner": f"{config.align.model} on {config.align.encoder}",
            "draft": config.match.draft_model,
        },
        corpus=config.corpus.name,
        language=config.corpus.language,
        palos=config.corpus.palos,
        license=config.publish.license,
        contact=config.publish.contact,
        citation=config.publish.citation,
        codec="" if options.pointers else options.codec.value,
        shares=dict(options.shares),
        # As it is read again: a tier is its name.
        wanted={**asdict(options.wanted), "min_tier": options.wanted.min_tier.value},
        fixed_test=options.fixed_test,
        left_out=dict(chosen.left_out),
        set_aside=dict(sorted(Counter(divided.set_aside.values()).items())),
        agreement=dict(options.agreement),
    )


def _chosen(
    workspace: Workspace, about: About, options: Options, older: Iterable[Utterance]
) -> Chosen:
    everything = (*workspace.store.utterances(), *older)
    chosen = choose(
        everything,
        about.recordings,
        about.verses,
        options.wanted,
        about.annotation_rights,
        sound=not options.pointers,
    )
    if not everything:
        raise PublishError("there are no utterances yet: run `corpus align` first")
    if not chosen.utterances:
        reasons = ", ".join(f"{n} {reason}" for reason, n in chosen.left_out)
        raise PublishError(
            f"none of the {len(everything)} utterances may go in ({reasons}): correct them, say "
            "whose they are, or ask for less"
        )
    return chosen


def _divided(
    workspace: Workspace, name: str, chosen: Chosen, about: About, options: Options, test: _Test
) -> Divided:
    groups = groups_of(about.recordings.values())
    rows = [
        Row(
            id=one.id,
            group=groups[one.recording],
            copla=copla_of(one, about),
            seconds=one.duration,
            strata=strata_of(one, about),
        )
        for one in chosen.utterances
    ]
    if test.ids and not {row.id for row in rows}.intersection(test.ids):
        raise PublishError(
            f"nothing of the test set of {options.fixed_test} may go in: lower the bar"
        )
    divided = divide(rows, options.shares, test.ids, _before(workspace, name, groups))
    if leaking := leaks(rows, divided.split_of):
        raise PublishError(f"{len(leaking)} leaks between splits ({leaking[0]}): report this")
    return divided


def _before(workspace: Workspace, name: str, groups: Mapping[str, str]) -> dict[str, str]:
    """The split that most of each group had in the newest release there is, of another name."""
    others = [one for one in workspace.store.releases() if one.name != name]
    newest = max(others, key=lambda one: (one.made, one.name), default=None)
    if newest is None:
        return {}
    known, seconds = workspace.store.aligned_utterances(), defaultdict[str, Counter[str]](Counter)
    for one in newest.utterances:
        utterance = known[one.utterance]
        milliseconds = round(1000 * utterance.duration)
        seconds[groups[utterance.recording]][one.split] += milliseconds
    return {group: max(of, key=lambda split: (of[split], split)) for group, of in seconds.items()}


def _earlier_test(workspace: Workspace, name: str) -> _Test:
    """The test set of an earlier release, whatever the aligner made of its recordings since."""
    if not name:
        return _Test()
    store = workspace.store
    known = {one.name: one for one in store.releases()}
    if name not in known:
        raise PublishError(
            f"there is no release {name} to take the test set of: see `corpus status`"
        )
    ids = tuple(one.utterance for one in known[name].utterances if one.split == "test")
    if not ids:
        raise PublishError(f"nothing is left of a test set of {name}: name another release")
    # What people threw out goes; of what is aligned anew nobody has spoken.
    there = {one.id for one in store.utterances(words=False)}
    there |= {one.utterance for one in store.annotations()}
    aligned = store.aligned_utterances()
    older = tuple(aligned[id_] for id_ in ids if id_ not in there)
    return _Test(ids=ids, older=older, purged=_purged(workspace, name, len(ids)))


def _purged(workspace: Workspace, name: str, n_left: int) -> int:
    """Rows that a test set had besides those left; 0 where the release's folder is elsewhere."""
    folder = workspace.root / "releases" / name
    told = read_manifest(folder) if (folder / MANIFEST).is_file() else None
    return max(0, told.rows.get("test", 0) - n_left) if told else 0


def _frozen(workspace: Workspace, name: str, divided: Divided) -> Release:
    """The release to be."""
    utterances = tuple(
        ReleasedUtterance(utterance=id_, split=split)
        for id_, split in sorted(divided.split_of.items())
    )
    return Release(name=name, made=moment(workspace.store, name), utterances=utterances)
