"""A workspace and a project of Label Studio: tasks go there, what people said comes back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

from annotate.fields import moment
from annotate.heard import forget_heard, n_heard, note_heard
from annotate.labels import labelling_config, questions_of
from annotate.labelstudio import LabelStudio, Placed, local_audio
from annotate.pull import Known, Pulled, pull
from annotate.server import SHARED
from annotate.stage import PUSHED, known, outcome, send_clips, sent, write_clips
from annotate.tasks import Piece, Task, make_tasks
from corpus.depot import S3Place
from corpus.errors import UsageError
from corpus.records import Tier, content_id
from corpus.rows import Done
from corpus.run import Failure, now
from corpus.saving import SENT
from corpus.store import Store
from corpus.workspace import Workspace

__all__ = ["THIRD", "Pushed", "Sound", "Synced", "projects_of", "pull_from", "push_to"]


_CONFIG, _PULLED = "label config", "pull"
"""Stages, as progress is kept by them."""

THIRD = ": third person"
"""What is disputed goes to a project of its own, where nobody sees what others said."""

_BATCH = 200
"""Tasks whose annotations land together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """What a push did: tasks that are new, that were there, and of these those with new text.

    `withdrawn` were there and are not to be heard any more, or in other pieces.  `notes` say
    what was left as it is.
    """

    project: int
    new: int
    known: int
    replaced: int
    withdrawn: int
    seconds: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Synced:
    """What a pull brought: tasks that were read, and by verdict what was said in them.

    `new` is how much of that was not known yet, drafts that were changed too.  `missing` is how
    many annotations the server counts and did not give.
    """

    tasks: int = 0
    verdicts: dict[str, int] = field(default_factory=dict)
    new: int = 0
    added: int = 0
    missing: int = 0
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """How the server comes by clips: it reads them here, is sent them, or finds them at `url`.

    Or it signs addresses in the bucket where the corpus has its audio.
    """

    here: bool = False
    url: str = ""
    bucket: S3Place | None = None


def _where(server: LabelStudio, project: int) -> str:
    """A project's name in the store."""
    return f"{server.url} {project}"


# ---- there


def push_to(
    workspace: Workspace,
    server: LabelStudio,
    title: str,
    chosen: Sequence[Piece],
    sound: Sound,
    *,
    overlap: float = 0.0,
    track: Callable[[Sequence[Piece]], Iterable[Piece]] = iter,
) -> Pushed:
    """Put pieces before people in the project of this title; twice is once.

    Tasks that somebody has worked at stay as they are.  Of the others, those whose predictions
    are not those of the last time begin from the new ones; and those go away whose utterances
    were aligned anew, are checked by now, or are heard in other pieces from here on.
    Raises AnnotationServerError, and MediaError where audio is missing; the same call then
    carries on.
    """
    store, questions = workspace.store, questions_of(workspace.config)
    recordings = {recording.id: recording for recording in store.recordings()}
    folder = workspace.root / SHARED
    if sound.bucket is None:
        write_clips(workspace.media, folder, chosen, track)
    else:
        send_clips(workspace.media, chosen, track)
    project, notes = _project(workspace, server, title)
    if overlap:
        server.set_overlap(project, overlap)
    tasks = make_tasks(chosen, recordings, questions.captions)
    audio = _sounds(server, project, folder, chosen, sound)
    heard = [_with_sound(task, audio[piece.id]) for task, piece in zip(tasks, chosen, strict=True)]
    # Before they are there: what somebody makes of them at once is not lost.
    sent(store, chosen)
    there = server.known_tasks(project)
    changed = _changed(store, _where(server, project), heard, there)
    added = server.add_tasks(project, heard)
    server.replace_predictions(project, changed)
    _note_pushed(store, _where(server, project), heard)
    withdrawn = _withdraw(store, server, project, chosen, there)
    twice = sum(len(placed) > 1 for placed in there.values())
    if twice:
        notes.append(f"{twice} tasks are there twice: what is said in either counts, the newest")
    return Pushed(
        project=project,
        new=added.new,
        known=added.known,
        replaced=len(changed),
        withdrawn=withdrawn,
        seconds=sum(piece.seconds for piece in chosen),
        notes=tuple(notes),
    )


def _project(workspace: Workspace, server: LabelStudio, title: str) -> tuple[int, list[str]]:
    """The project, made or with the config of corpus.toml; one changed by hand stays so."""
    config = labelling_config(questions_of(workspace.config))
    project = server.find_project(title)
    if project is None:
        project = server.make_project(title, config)
    key, notes, stored = _where(server, project), list[str](), server.config_of(project)
    before = workspace.store.done(_CONFIG).get(key)
    if stored != config:
        if before is None or before.inputs != content_id(stored):
            notes.append(
                "the labelling config was changed on the server and stays so: answers that "
                "corpus.toml does not know are set aside by `corpus annotate pull`"
            )
            return project, notes
        server.set_config(project, config)
    _mark(workspace.store, _CONFIG, {key: content_id(config)})
    return project, notes


def _sounds(
    server: LabelStudio, project: int, folder: Path, chosen: Sequence[Piece], sound: Sound
) -> dict[str, str]:
    """What each task names as its sound, by piece."""
    if sound.bucket is not None:
        place = replace(sound.bucket, prefix=f"{sound.bucket.prefix}/clips".lstrip("/"))
        if chosen:
            server.serve_bucket(project, place)
        top = f"s3://{place.bucket}/{place.prefix.removesuffix('clips')}"
        return {piece.id: f"{top}{piece.clip}" for piece in chosen}
    if sound.here:
        server.serve_folder(project, folder / "clips")
        return {piece.id: local_audio(piece.clip) for piece in chosen}
    if sound.url:
        return {piece.id: f"{sound.url.rstrip('/')}/{Path(piece.clip).name}" for piece in chosen}
    sent_there = server.upload(project, [folder / piece.clip for piece in chosen])
    return {piece.id: sent_there[Path(piece.clip).name] for piece in chosen}


def _with_sound(task: Task, audio: str) -> Task:
    return {**task, "data": {**task["data"], "audio": audio}}


def _changed(
    store: Store, key: str, tasks: Iterable[Task], there: dict[str, tuple[Placed, ...]]
) -> dict[int, dict[str, Any]]:
    """New predictions of tasks that nobody has worked at, by the number of the task."""
    before = store.done(PUSHED)
    return {
        placed.id: task["predictions"][0]
        for task in tasks
        for placed in there.get(task["data"]["external_id"], ())
        if not placed.annotations and _stale(before.get(_name(key, task)), task)
    }


def _stale(before: Done | None, task: Task) -> bool:
    return before is None or before.inputs != _print(task)


def _name(key: str, task: Task) -> str:
    return f"{key} {task['data']['external_id']}"


def _print(task: Task) -> str:
    return content_id(repr(task["predictions"]))


def _note_pushed(store: Store, key: str, tasks: Iterable[Task]) -> None:
    _mark(store, PUSHED, {_name(key, task): _print(task) for task in tasks})


def _withdraw(
    store: Store,
    server: LabelStudio,
    project: int,
    chosen: Sequence[Piece],
    there: Mapping[str, tuple[Placed, ...]],
) -> int:
    """Take away what nobody has worked at and nobody is to hear any more; how many that were."""
    stale = {
        placed.id: id_
        for id_ in _stale_tasks(store, chosen, there)
        for placed in there[id_]
        if not placed.annotations
    }
    n_gone = server.withdraw(project, sorted(stale))
    # Who has begun one meanwhile keeps it.
    left = server.known_tasks(project) if n_gone < len(stale) else {}
    kept = {placed.id for all_ in left.values() for placed in all_}
    with store.transaction() as transaction:
        for number, id_ in stale.items():
            if number not in kept:
                transaction.forget(PUSHED, f"{_where(server, project)} {id_}")
    return n_gone


def _stale_tasks(
    store: Store, chosen: Sequence[Piece], there: Mapping[str, tuple[Placed, ...]]
) -> list[str]:
    """Tasks of this corpus whose utterances are no longer asked for, or in other pieces."""
    pushed = {piece.id for piece in chosen}
    anew = {one.id for piece in chosen for one in piece.utterances}
    unchecked = {one.id for one in store.utterances(words=False) if one.tier is not Tier.GOLD}
    ours = store.done(SENT).keys()
    found = []
    for id_, (first, *_) in there.items():
        ids = set(first.utterances)
        other = bool(ids & anew) or not ids <= unchecked
        if id_ not in pushed and ids and ids <= ours and other:
            found.append(id_)
    return found


def _mark(store: Store, stage: str, inputs: Mapping[str, str]) -> None:
    at = now()
    with store.transaction() as transaction:
        for item, made_from in inputs.items():
            done = Done(stage=stage, item=item, inputs=made_from, state="done", note="", at=at)
            transaction.mark(done)


# ---- and back


def projects_of(server: LabelStudio, title: str, usual: str) -> list[int]:
    """The project of a title; without one, the usual one and that of the third person.

    Raises UsageError where there is none.
    """
    wanted = [title] if title else [usual, f"{usual}{THIRD}"]
    found = [server.find_project(one) for one in wanted]
    numbers = [number for number in found if number is not None]
    if not numbers:
        raise UsageError(
            f"{server.url} has no project '{wanted[0]}': `corpus annotate push` makes it"
        )
    return numbers


def pull_from(
    workspace: Workspace,
    server: LabelStudio,
    project: int,
    *,
    everything: bool = False,
    track: Callable[[int], None] | None = None,
) -> Synced:
    """Bring back what people said since the last time, or `everything`, a batch at a time.

    All is read again where the server counts other annotations than have come, as when its
    clock was set back.  Raises AnnotationServerError where the server does not give all of it:
    what came before is kept, and the same call brings the rest.
    """
    store, key = workspace.store, _where(server, project)
    before, n_before = store.done(_PULLED).get(key), server.count_said(project)
    since = datetime.fromisoformat(before.inputs) if before and before.inputs else None
    read = partial(_bring, workspace, server, project, track or (lambda _: None))
    synced = read(None if everything else since)
    apart = _apart(store, server, project, n_before)
    if apart and since and not everything:
        synced = replace(again := read(None), new=synced.new + again.new)
        apart = _apart(store, server, project, n_before)
    return replace(synced, missing=max(0, apart))


def _apart(store: Store, server: LabelStudio, project: int, n_before: int) -> int:
    """How many annotations the server counts that have not come; below 0 those that came and went.

    It counted `n_before` at the start: what people do meanwhile is no difference.
    """
    least, most = sorted((n_before, server.count_said(project)))
    n_here = n_heard(store, _where(server, project))
    return least - n_here if n_here < least else min(0, most - n_here)


def _bring(
    workspace: Workspace,
    server: LabelStudio,
    project: int,
    track: Callable[[int], None],
    since: datetime | None,
) -> Synced:
    store, key = workspace.store, _where(server, project)
    newest, synced, speaks = moment(since) if since else "", Synced(), known(workspace)
    tasks = chain(server.changed_tasks(project, since), server.begun_tasks(project))
    had, seen = {one.id for one in store.annotations()}, set[int]()
    for batch in _batches(tasks):
        pulled = pull(batch, speaks)
        # One that is begun by one person and handed in by another comes twice.
        seen.update(task["id"] for task in batch)
        failures = (*synced.failures, *_landed(store, key, batch, pulled))
        synced = replace(_with(synced, pulled, had), tasks=len(seen), failures=failures)
        speaks = _with_added(speaks, pulled)
        newest = max(newest, *(moment(task["updated_at"]) for task in batch))
        track(synced.tasks)
    if since is None:
        forget_heard(store, key, but=seen)
    _mark(store, _PULLED, {key: newest})
    return synced


def _batches(tasks: Iterable[Task]) -> Iterator[list[Task]]:
    left = iter(tasks)
    while batch := list(islice(left, _BATCH)):
        yield batch


def _landed(store: Store, key: str, batch: Sequence[Task], pulled: Pulled) -> tuple[Failure, ...]:
    """Save what was said in a batch, and what cannot be taken in, in place of the last time."""
    out = outcome(store, key, pulled)
    failures = tuple(failure for failure in out.failures if failure.item != key)
    at = now()
    with store.transaction() as transaction:
        transaction.save(out.records)
        for task in batch:
            transaction.forget(_PULLED, f"{key}:{task['id']}")
            note_heard(transaction, key, task, at)
        for failure in failures:
            transaction.mark(
                Done(
                    stage=_PULLED,
                    item=failure.item,
                    inputs="",
                    state="failed",
                    note=failure.reason,
                    at=at,
                )
            )
    return failures


def _with(before: Synced, pulled: Pulled, had: set[str]) -> Synced:
    """What was brought so far with what a batch says; `had`, what is known, learns of it."""
    said = {one.id for one in pulled.annotations}
    new = len(said - had)
    had |= said
    verdicts = Counter(before.verdicts)
    verdicts.update(one.verdict.value for one in pulled.annotations)
    added = before.added + len(pulled.added)
    return replace(before, verdicts=dict(verdicts), new=before.new + new, added=added)


def _with_added(speaks: Known, pulled: Pulled) -> Known:
    """What is known with the utterances that people put there meanwhile."""
    if not pulled.added:
        return speaks
    added = {one.id: one for one in pulled.added}
    by_task = {origin: dict(ids) for origin, ids in speaks.added.items()}
    for said in pulled.annotations:
        if said.utterance in added:
            by_task.setdefault(said.origin, {}).setdefault(said.utterance, said.made)
    return replace(speaks, utterances={**speaks.utterances, **added}, added=by_task)
