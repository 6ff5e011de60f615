"""The stage: what people are to hear goes out of a workspace, and what they said comes back."""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from annotate.agreement import disputed
from annotate.labels import labelling_config, questions_of
from annotate.pull import Known, Pulled, pull_json
from annotate.queue import by_worth, within
from annotate.tasks import Piece, clips, make_tasks, pieces
from corpus.changes import CHANGED
from corpus.collect.base import file_inputs, printable
from corpus.errors import MediaError, UsageError
from corpus.media import SAMPLE_RATE, FlacSamples, Media, flac_bytes
from corpus.records import Description, Tier
from corpus.rows import Amended, Done
from corpus.run import Failure, Item, Outcome, now
from corpus.saving import SENT
from corpus.store import Store
from corpus.whole import writing
from corpus.workspace import Workspace

__all__ = [
    "PUSHED",
    "Exported",
    "disputed_pieces",
    "export",
    "items",
    "known",
    "outcome",
    "send_clips",
    "sent",
    "take_in",
    "to_hear",
    "write_clips",
]

Track = Callable[[Sequence[Piece]], Iterable[Piece]]

PUSHED = "push"
"""The stage of tasks that are on a server."""

_FILLED = ("palo", "sex", "region")
"""What a person says of a recording goes to it where nothing is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What a folder to annotate holds; `clips` counts those that were not there before."""

    tasks: int
    clips: int
    seconds: float


def to_hear(
    workspace: Workspace, minutes: float | None = None, longest: float | None = None
) -> list[Piece]:
    """What nobody has checked, where a minute of people is worth most first.

    A clip an utterance, or with `longest` pieces of recordings of at most so many seconds;
    with `minutes`, as much as is heard in them.  Raises UsageError for minutes that are none.
    """
    if minutes is not None and not (math.isfinite(minutes) and minutes > 0):
        raise UsageError(f"a limit is a number of minutes above 0, not {minutes:g}")
    recordings = {recording.id: recording for recording in workspace.store.recordings()}
    # Of a million, words are only needed of those that are chosen.
    everything = workspace.store.utterances(words=minutes is None)
    unchecked = [one for one in everything if one.tier is not Tier.GOLD]
    made = (
        clips(unchecked, recordings) if longest is None else pieces(unchecked, recordings, longest)
    )
    changed = workspace.store.done(CHANGED).keys()
    chosen = within(by_worth(made, recordings, everything, changed), minutes)
    return chosen if minutes is None else _with_words(workspace.store, chosen)


def _with_words(store: Store, chosen: Sequence[Piece]) -> list[Piece]:
    """The same pieces, their utterances with all that is known of them.

    Without those that another process aligned anew meanwhile.
    """
    recordings = {piece.recording for piece in chosen}
    whole = {one.id: one for id_ in recordings for one in store.utterances(id_)}
    return [
        replace(piece, utterances=tuple(whole[one.id] for one in piece.utterances))
        for piece in chosen
        if all(one.id in whole for one in piece.utterances)
    ]


def disputed_pieces(workspace: Workspace) -> list[Piece]:
    """A clip for each utterance that people differ about, as it was before anybody spoke."""
    utterances = workspace.store.aligned_utterances()
    recordings = {recording.id: recording for recording in workspace.store.recordings()}
    ids = disputed(workspace.store.annotations(), utterances)
    return clips((utterances[id_] for id_ in ids), recordings)


def export(
    workspace: Workspace,
    folder: Path,
    minutes: float | None = None,
    longest: float | None = None,
    *,
    track: Track = iter,
) -> Exported:
    """Write tasks.json, config.xml and clips/*/*.flac of what `to_hear` gives.

    Clips that are there already stay; tasks.json comes last, so it names no clip that is
    not there.  Raises UsageError for a limit that is none, MediaError when audio is missing
    or the folder cannot be written.
    """
    chosen = to_hear(workspace, minutes, longest)
    recordings = {recording.id: recording for recording in workspace.store.recordings()}
    n_clips = write_clips(workspace.media, folder, chosen, track)
    questions = questions_of(workspace.config)
    _write(folder / "config.xml", labelling_config(questions).encode())
    tasks = make_tasks(chosen, recordings, questions.captions)
    _write(folder / "tasks.json", json.dumps(tasks, ensure_ascii=False, indent=1).encode())
    sent(workspace.store, chosen)
    seconds = sum(piece.seconds for piece in chosen)
    return Exported(tasks=len(tasks), clips=n_clips, seconds=seconds)


def sent(store: Store, chosen: Iterable[Piece]) -> None:
    """Note what is put before people: it is kept for them, whatever is aligned anew."""
    ids = [one.id for piece in chosen for one in piece.utterances]
    at, before = now(), store.done(SENT).keys()
    with store.transaction() as transaction:
        for id_ in ids:
            if id_ not in before:
                done = Done(stage=SENT, item=id_, inputs="", state="done", note="", at=at)
                transaction.mark(done)


def write_clips(media: Media, folder: Path, chosen: Sequence[Piece], track: Track = iter) -> int:
    """Write the sound of pieces as FLAC below a folder; how many were not there yet."""
    return sum(_write_clip(media, folder, piece) for piece in track(chosen))


def _write_clip(media: Media, folder: Path, piece: Piece) -> bool:
    path = folder / piece.clip
    if path.is_file() and _is_whole(path, len(_stretch(media, piece))):
        return False
    _write(path, _flac(media, piece))
    return True


def _is_whole(path: Path, n_samples: int) -> bool:
    """Whether no power cut has taken anything of a clip."""
    try:
        return len(FlacSamples(path).read(0, n_samples)) == n_samples
    except MediaError:
        return False


def send_clips(media: Media, chosen: Sequence[Piece], track: Track = iter) -> int:
    """Put the sound of pieces as FLAC where the audio itself lies; how many were not there yet."""
    there, n_sent = {one.key for one in media.depot.kept("clips/")}, 0
    for piece in track(chosen):
        if piece.clip not in there:
            with media.depot.writing(piece.clip) as scratch:
                scratch.write_bytes(_flac(media, piece))
            n_sent += 1
    return n_sent


def _flac(media: Media, piece: Piece) -> bytes:
    stretch = _stretch(media, piece)
    return flac_bytes(media.samples(piece.recording).read(stretch.start, len(stretch)))


def _stretch(media: Media, piece: Piece) -> range:
    """The samples of a piece, as far as its recording goes."""
    first, last = (round(at * SAMPLE_RATE) for at in (piece.start, piece.end))
    n_samples = media.samples(piece.recording).n_samples
    return range(n_samples)[first : max(first + 1, last)]


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
    """The annotations of an export; what is malformed is told and the rest taken."""
    key = printable(str(path))
    try:
        data = path.read_bytes()
    except OSError as error:
        return Outcome(failures=(Failure(item=key, reason=f"cannot be read: {error.strerror}"),))
    return outcome(workspace.store, key, pull_json(data, known(workspace)))


def known(workspace: Workspace) -> Known:
    """What annotations may speak of."""
    store = workspace.store
    utterances = store.aligned_utterances()
    added: dict[str, dict[str, str]] = defaultdict(dict)
    for said in store.annotations():
        if utterances[said.utterance].corrects:
            added[said.origin].setdefault(said.utterance, said.made)
    return Known(
        utterances=utterances,
        recordings={recording.id: recording for recording in store.recordings()},
        questions=questions_of(workspace.config),
        added=added,
    )


def outcome(store: Store, key: str, pulled: Pulled) -> Outcome:
    """What is to be saved of what people said; `key` is what it was read from."""
    failures = tuple(
        Failure(item=f"{key}:{p.task}" if p.task else key, reason=p.reason) for p in pulled.problems
    )
    if failures and not pulled.annotations and failures[0].item != key:
        # Not done: the export is read again once what it speaks of is there.
        failures = (*failures, Failure(item=key, reason="nothing of it could be taken in"))
    recordings, n_unkept = _filled(store, pulled.descriptions)
    return Outcome(
        records=(*recordings, *pulled.added, *pulled.annotations, *pulled.descriptions),
        note=_note(pulled, n_unkept),
        failures=failures,
    )


def _filled(store: Store, said: Sequence[Description]) -> tuple[list[Amended], int]:
    """Recordings with what they lacked, as named last; and how many answers go against them."""
    answers: dict[str, dict[str, str]] = defaultdict(dict)
    for one in sorted(said, key=lambda one: one.made):
        answers[one.recording] |= {name: told for name, told in one.answers if name in _FILLED}
    if not answers:
        return [], 0
    filled, n_unkept = [], 0
    for recording in store.recordings():
        told = answers.get(recording.id, {})
        new = {name: answer for name, answer in told.items() if not getattr(recording, name)}
        if new:
            more = replace(recording, **new)  # type: ignore[arg-type]  # texts, by their names
            filled.append(Amended(before=recording, after=more))
        kept = {name: getattr(recording, name) for name in told.keys() - new.keys()}
        n_unkept += sum(told[name] != value for name, value in kept.items())
    return filled, n_unkept


def _note(pulled: Pulled, n_unkept: int) -> str:
    counts = Counter(annotation.verdict.value for annotation in pulled.annotations)
    parts = [f"{count} {verdict}" for verdict, count in sorted(counts.items())]
    if pulled.added:
        parts.append(f"{len(pulled.added)} added")
    if n_unkept:
        parts.append(f"{n_unkept} times something else was said; what is known of it stays")
    return ", ".join(parts) or "no annotations in it"
