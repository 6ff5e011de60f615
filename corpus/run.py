"""Run a stage over what is pending: failures kept by item, each step in one transaction."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import partial
from typing import Generic, TypeVar

from corpus.errors import CanteError, PassedOverError, PurgedError, StoreError
from corpus.log import LOG
from corpus.rows import Done, Record
from corpus.store import Store

__all__ = ["Failure", "Item", "Outcome", "Summary", "n_cores", "now", "run_stage", "workers"]

P = TypeVar("P")


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
class Summary:
    """How a run of a stage ended."""

    stage: str
    done: int = 0
    skipped: int = 0
    passed_over: int = 0
    notes: tuple[Failure, ...] = ()
    failures: tuple[Failure, ...] = field(default=())

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return not self.failures


def n_cores() -> int:
    """How many processors this process may use."""
    with contextlib.suppress(AttributeError):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextlib.contextmanager
def workers(n_threads: int) -> Iterator[ThreadPoolExecutor]:
    """Threads to work in; who is interrupted does not wait for what nobody will take."""
    pool = ThreadPoolExecutor(n_threads)
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def now() -> str:
    """This moment, ISO 8601, UTC."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def run_stage(
    store: Store,
    stage: str,
    items: Sequence[Item[P]],
    step: Callable[[P], Outcome],
    *,
    track: Callable[[Sequence[Item[P]]], Iterable[Item[P]]] = iter,
    on_failure: Callable[[Failure], None] | None = None,
    n_workers: int = 1,
    debug: bool = False,
) -> Summary:
    """Do what is pending of `items`; an item that fails is noted and the run goes on.

    What a step gives lands in one transaction together with the note that it is
    done, so a run that is killed anywhere carries on where it stopped.  `track`
    shows the progress.  With several workers, steps run beside each other in
    threads; this one saves.  A store that fails ends the run: nothing after it could
    land either.
    """
    before = store.done(stage)
    _forget_wholes(store, stage, before, items)
    pending = [item for item in items if not _settled(before.get(item.key), item)]
    done, passed_over, notes, failures = 0, 0, list[Failure](), list[Failure]()
    attempts = _attempts(track(pending), partial(_attempt, step, debug=debug), n_workers)
    for item, given in attempts:
        outcome = given if given.passed_over else _landed(store, stage, item, given)
        if outcome.note:
            notes.append(Failure(item=item.key, reason=outcome.note))
        if outcome.passed_over:
            passed_over += 1
            continue
        told = {"stage": stage, "item": item.key, "records": len(outcome.records)}
        LOG.debug("landed", extra=told)
        if not any(failure.item == item.key for failure in outcome.failures):
            done += 1
        failures += outcome.failures
        for failure in outcome.failures:
            if on_failure is not None:
                on_failure(failure)
    return Summary(
        stage=stage,
        done=done,
        skipped=len(items) - len(pending),
        passed_over=passed_over,
        notes=tuple(notes),
        failures=tuple(failures),
    )


def _landed(store: Store, stage: str, item: Item[P], outcome: Outcome) -> Outcome:
    """Save what a step gave; it is passed over where another command purged it meanwhile."""
    try:
        with store.transaction() as transaction:
            transaction.save(outcome.records)
            transaction.forget_parts(stage, item.key)
            for mark in _marks(stage, item, outcome):
                transaction.mark(mark)
    except PurgedError as why:
        return _passed_over(why)
    return outcome


def _passed_over(why: CanteError) -> Outcome:
    return Outcome(note=f"passed over: {why}", passed_over=True)


def _attempts(
    items: Iterable[Item[P]], attempt: Callable[[Item[P]], Outcome], n_workers: int
) -> Iterator[tuple[Item[P], Outcome]]:
    """Each item with its outcome, as they come; no more is begun than there are workers."""
    if n_workers == 1:
        for item in items:
            yield item, attempt(item)
        return
    running: dict[Future[Outcome], Item[P]] = {}
    with workers(n_workers) as pool:
        for item in items:
            running[pool.submit(attempt, item)] = item
            if len(running) == n_workers:
                yield from _ended(running)
        while running:
            yield from _ended(running)


def _ended(running: dict[Future[Outcome], Item[P]]) -> Iterator[tuple[Item[P], Outcome]]:
    done = wait(running, return_when=FIRST_COMPLETED).done
    for future in [one for one in running if one in done]:  # in the order in which they began
        yield running.pop(future), future.result()


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


def _attempt(step: Callable[[P], Outcome], item: Item[P], *, debug: bool) -> Outcome:
    try:
        return step(item.payload)
    except StoreError:
        raise
    except (PassedOverError, PurgedError) as why:
        return _passed_over(why)
    except CanteError as error:
        return Outcome(failures=(Failure(item=item.key, reason=str(error)),))
    except Exception as error:
        if debug:
            raise
        reason = f"unexpected {type(error).__name__}: {error}; run with --debug for more"
        return Outcome(failures=(Failure(item=item.key, reason=" ".join(reason.split())),))


def _marks(stage: str, item: Item[P], outcome: Outcome) -> Iterable[Done]:
    """The item's own mark, and one for each part of it that failed."""
    at = now()
    if not any(failure.item == item.key for failure in outcome.failures):
        yield Done(
            stage=stage, item=item.key, inputs=item.inputs, state="done", note=outcome.note, at=at
        )
    for failure in outcome.failures:
        yield Done(
            stage=stage, item=failure.item, inputs="", state="failed", note=failure.reason, at=at
        )
