"""The stage: a folder to annotate goes out of a workspace, and annotations come back into it."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from annotate.labels import labelling_config
from annotate.pull import NamedPalo, Pulled, pull_json
from annotate.tasks import clip_name, clip_span, make_tasks, worst_first
from corpus.collect.base import file_inputs, printable
from corpus.errors import UsageError
from corpus.media import SAMPLE_RATE, Media, flac_bytes, writing
from corpus.records import Recording, Tier, Utterance
from corpus.run import Failure, Item, Outcome
from corpus.store import Store
from corpus.workspace import Workspace

__all__ = ["Exported", "export", "items", "take_in"]

Track = Callable[[Sequence[Utterance]], Iterable[Utterance]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What a folder to annotate holds; `clips` counts those that were not there before."""

    tasks: int
    clips: int
    seconds: float


def export(
    workspace: Workspace, folder: Path, limit_minutes: float | None = None, *, track: Track = iter
) -> Exported:
    """Write tasks.json, config.xml and clips/*.flac of what nobody has checked, the worst first.

    With a limit, as much as fits in that many minutes of clips.  Clips that are
    there already stay; tasks.json comes last, so it names no clip that is not there.
    Raises UsageError for a limit that is none, MediaError when audio is missing
    or the folder cannot be written.
    """
    if limit_minutes is not None and not (math.isfinite(limit_minutes) and limit_minutes > 0):
        raise UsageError(f"a limit is a number of minutes above 0, not {limit_minutes:g}")
    recordings = {recording.id: recording for recording in workspace.store.recordings()}
    unchecked = [u for u in workspace.store.utterances() if u.tier is not Tier.GOLD]
    chosen = _within(worst_first(unchecked), recordings, limit_minutes)
    n_clips = sum(
        _write_clip(workspace.media, folder, u, recordings[u.recording].duration)
        for u in track(chosen)
    )
    _write(folder / "config.xml", labelling_config(palos=workspace.config.corpus.palos).encode())
    tasks = make_tasks(chosen, recordings)
    _write(folder / "tasks.json", json.dumps(tasks, ensure_ascii=False, indent=1).encode())
    seconds = sum(_seconds(u, recordings) for u in chosen)
    return Exported(tasks=len(tasks), clips=n_clips, seconds=seconds)


def _within(
    utterances: Sequence[Utterance], recordings: dict[str, Recording], minutes: float | None
) -> list[Utterance]:
    left, chosen = math.inf if minutes is None else minutes * 60, []
    for utterance in utterances:
        left -= _seconds(utterance, recordings)
        if left < 0:
            break
        chosen.append(utterance)
    return chosen


def _seconds(utterance: Utterance, recordings: dict[str, Recording]) -> float:
    start, end = clip_span(utterance, recordings[utterance.recording].duration)
    return end - start


def _write_clip(media: Media, folder: Path, utterance: Utterance, duration: float) -> bool:
    """Whether the clip had to be written."""
    path = folder / clip_name(utterance.id)
    if path.is_file():
        return False
    first, last = (round(at * SAMPLE_RATE) for at in clip_span(utterance, duration))
    samples = media.samples(utterance.recording).read(first, max(1, last - first))
    _write(path, flac_bytes(samples))
    return True


def _write(path: Path, data: bytes) -> None:
    with writing(path) as scratch:
        scratch.write_bytes(data)


# ---- the way back


def items(paths: Sequence[Path]) -> list[Item[Path]]:
    """The exports at the paths; of a folder, its .json files."""
    found: dict[str, Path] = {}
    for path in paths:
        for file in sorted(path.glob("*.json")) if path.is_dir() else [path]:
            found[printable(str(file.absolute()))] = file.absolute()
    return [Item(key=key, inputs=file_inputs(file), payload=file) for key, file in found.items()]


def take_in(workspace: Workspace, path: Path) -> Outcome:
    """The annotations of an export; what is malformed is told and the rest taken.

    A palo that a person names goes to the recording where it has none.
    """
    key = printable(str(path))
    try:
        data = path.read_bytes()
    except OSError as error:
        return Outcome(failures=(Failure(item=key, reason=f"cannot be read: {error.strerror}"),))
    pulled = pull_json(data, workspace.store.aligned_utterances())
    failures = tuple(
        Failure(item=f"{key}:{p.task}" if p.task else key, reason=p.reason) for p in pulled.problems
    )
    if failures and not pulled.annotations and failures[0].item != key:
        # Not done: the export is read again once what it speaks of is there.
        failures = (*failures, Failure(item=key, reason="nothing of it could be taken in"))
    recordings, unkept = _with_palos(workspace.store, pulled.palos)
    return Outcome(
        records=(*recordings, *pulled.annotations), note=_note(pulled, unkept), failures=failures
    )


def _with_palos(store: Store, palos: Sequence[NamedPalo]) -> tuple[list[Recording], int]:
    """Recordings that had no palo, with the one named last; and how many answers go against it."""
    named = {one.recording: one.palo for one in palos}
    known = {r.id: r for r in store.recordings() if r.id in named}
    filled = [replace(r, palo=named[r.id]) for r in known.values() if not r.palo]
    kept = {id_: recording.palo or named[id_] for id_, recording in known.items()}
    return filled, sum(one.palo != kept[one.recording] for one in palos)


def _note(pulled: Pulled, n_unkept: int) -> str:
    counts = Counter(annotation.verdict.value for annotation in pulled.annotations)
    parts = [f"{count} {verdict}" for verdict, count in sorted(counts.items())]
    if n_unkept:
        parts.append(f"{n_unkept} times another palo was named; what is known of it stays")
    return ", ".join(parts) or "no annotations in it"
