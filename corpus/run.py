"""Run a stage over what is pending: failures kept by item, each step in one transaction."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import partial
from typing import Any, Generic, TypeVar

from corpus.engine import Engine, Here, Make, as_ended
from corpus.errors import CanteError, LostError, PassedOverError, PurgedError, StoreError
from corpus.log import LOG
from corpus.redact import without_secrets
from corpus.rows import Done, Record
from corpus.store import Store

__all__ = ["Failure", "Item", "Outcome", "Summary", "Work", "n_cores", "now", "run_stage"]

P = TypeVar("P")
Q = TypeVar("Q")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item(Generic[P]):
    """One thing that a stage has to do.

    `key` names it for good; `inputs` says what it is made from: while the inputs
    are those of the last time, it is not done again.
    """

    key: str
    inputs: str
    payload: P


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An item that could not be done, or a part of one ("<key>:<part>"), and why."""

    item: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a step gives: records to save, a note, and parts of the item that failed.

    What was `passed_over` is not noted, and looked at again the next time.
    """

    records: tuple[Record, ...] = ()
    note: str = ""
    passed_over: bool = False
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Work(Generic[P, Q]):
    """A step for any engine, in two halves.

    `ask` gathers in this process, by the store, all that an item's work needs; `make` gives, in
    each worker, what does the work (see `corpus.engine`).
    """

    ask: Callable[[P], Q]
    make: Make[Q, Outcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """How a run of a stage ended.

    `busy` is the share of the time of its `workers` in which they worked, 0..1; None where one
    process did it all.
    """

    stage: str
    done: int = 0
    skipped: int = 0
    passed_over: int = 0
    notes: tuple[Failure, ...] = ()
    failures: tuple[Failure, ...] = field(default=())
    workers: int = 1
    busy: float | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return not self.failures


def n_cores() -> int:
    """How many processors this process may use."""
    with contextlib.suppress(AttributeError):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def now() -> str:
    """This moment, ISO 8601, UTC."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def run_stage(
    store: Store,
    stage: str,
    items: Sequence[Item[P]],
    step: Callable[[P], Outcome] | Work[P, Any],
    *,
    engine: Engine | None = None,
    track: Callable[[Sequence[Item[P]]], Iterable[Item[P]]] = iter,
    on_failure: Callable[[Failure], None] | None = None,
    debug: bool = False,
) -> Summary:
    """Do what is pending of `items`; an item that fails is noted and the run goes on.

    What a step gives lands in one transaction together with the note that it is
    done, so a run that is killed anywhere carries on where it stopped.  `track`
    shows the progress.  Steps run in the engine's workers, `Here` one by one where none
    is named; this process alone saves, in one transaction what ended meanwhile.  A store
    that fails ends the run: nothing after it could land either.
    """
    before = store.done(stage)
    _forget_wholes(store, stage, before, items)
    pending = [item for item in items if not _settled(before.get(item.key), item)]
    summary = Summary(stage=stage, skipped=len(items) - len(pending))
    if not pending:
        return summary
    work = step if isinstance(step, Work) else Work(ask=_itself, make=lambda: step)
    asked = (replace(item, payload=work.ask(item.payload)) for item in track(pending))
    tally = _Tally()
    with (engine or Here()).crew(partial(_attempting, work.make, debug=debug)) as crew:
        for ended in as_ended(crew, asked):
            given = [(item, _outcome(item, future)) for item, future in ended]
            outcomes = _landed(store, stage, given)
            for item, outcome in outcomes:
                tally.take(item, outcome)
                for failure in outcome.failures:
                    if on_failure is not None:
                        on_failure(failure)
        return replace(
            summary,
            done=tally.done,
            passed_over=tally.passed_over,
            notes=tuple(tally.notes),
            failures=tuple(tally.failures),
            workers=crew.n_workers,
            busy=crew.busy,
        )


@dataclass(slots=True)
class _Tally:
    """What a summary is made of, as it comes."""

    done: int = 0
    passed_over: int = 0
    notes: list[Failure] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    def take(self, item: Item[Any], outcome: Outcome) -> None:
        if outcome.note:
            self.notes.append(Failure(item=item.key, reason=outcome.note))
        self.passed_over += outcome.passed_over
        self.done += not (outcome.passed_over or _failed(item, outcome))
        self.failures += outcome.failures


def _itself(payload: P) -> P:
    return payload


def _outcome(item: Item[Any], given: Future[Outcome]) -> Outcome:
    try:
        return given.result()
    except LostError as error:
        return _failed_whole(item, str(error))


def _failed_whole(item: Item[Any], reason: str) -> Outcome:
    """That an item could not be done; what is kept beside it holds no secret."""
    return Outcome(failures=(Failure(item=item.key, reason=without_secrets(reason)),))


def _failed(item: Item[Any], outcome: Outcome) -> bool:
    """Whether the whole item did; not only parts of it."""
    return any(failure.item == item.key for failure in outcome.failures)


_Ended = Sequence[tuple[Item[Any], Outcome]]


def _landed(store: Store, stage: str, outcomes: _Ended) -> _Ended:
    """Save what steps gave; passed over is what another command purged meanwhile."""
    try:
        _land(store, stage, outcomes)
    except PurgedError as why:
        if len(outcomes) == 1:
            return [(item, _passed_over(why)) for item, _ in outcomes]
        # One of them, and which is not told.
        return [each for one in outcomes for each in _landed(store, stage, [one])]
    return outcomes


def _passed_over(why: CanteError) -> Outcome:
    return Outcome(note=f"passed over: {why}", passed_over=True)


def _land(store: Store, stage: str, outcomes: _Ended) -> None:
    found = [(item, outcome) for item, outcome in outcomes if not outcome.passed_over]
    if not found:
        return
    with store.transaction() as transaction:
        for item, outcome in found:
            transaction.save(outcome.records)
            transaction.forget_parts(stage, item.key)
            for mark in _marks(stage, item, outcome):
                transaction.mark(mark)
    for item, outcome in found:
        told = {"stage": stage, "item": item.key, "records": len(outcome.records)}
        LOG.debug("landed", extra=told)


def _forget_wholes(
    store: Store, stage: str, before: Mapping[str, Done], items: Sequence[Item[P]]
) -> None:
    """Where the parts of something are items, it can be read again: its failure is forgotten."""
    keys = {item.key for item in items}
    failed = [k for k, done in before.items() if done.state == "failed" and k not in keys]
    for whole in failed:
        if any(key.startswith(f"{whole}:") for key in keys):
            with store.transaction() as transaction:
                transaction.forget(stage, whole)


def _settled(before: Done | None, item: Item[P]) -> bool:
    return before is not None and before.state == "done" and before.inputs == item.inputs


def _attempting(make: Make[P, Outcome], *, debug: bool) -> Callable[[Item[P]], Outcome]:
    """A step that keeps what goes wrong with an item as its outcome."""
    return partial(_attempt, make(), debug=debug)


def _attempt(step: Callable[[P], Outcome], item: Item[P], *, debug: bool) -> Outcome:
    try:
        return step(item.payload)
    except StoreError:
        raise
    except (PassedOverError, PurgedError) as why:
        return _passed_over(why)
    except CanteError as error:
        return _failed_whole(item, str(error))
    except Exception as error:
        if debug:
            raise
        reason = f"unexpected {type(error).__name__}: {error}; run with --debug for more"
        return _failed_whole(item, " ".join(reason.split()))


def _marks(stage: str, item: Item[P], outcome: Outcome) -> Iterable[Done]:
    """The item's own mark, and one for each part of it that failed."""
    at = now()
    if not _failed(item, outcome):
        yield Done(
            stage=stage, item=item.key, inputs=item.inputs, state="done", note=outcome.note, at=at
        )
    for failure in outcome.failures:
        yield Done(
            stage=stage, item=failure.item, inputs="", state="failed", note=failure.reason, at=at
        )
