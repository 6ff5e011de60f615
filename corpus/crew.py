"""Workers that do one thing at a time, fed from one queue.

Who is free takes what is next.  A worker that is lost (killed, its machine gone) is replaced, and
what it had goes back into the queue: another does it anew.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, Generic, Protocol, TypeVar

from corpus.errors import EngineError, LostError
from corpus.log import LOG

__all__ = ["TRIES", "Crew", "Worker"]

P = TypeVar("P")
R = TypeVar("R")

TRIES = 3
"""Workers that one thing may cost before it is given up: what kills them would kill all others."""


class Worker(Protocol):
    """One who does one thing at a time; each method waits, `stop` comes from another thread."""

    def begin(self) -> None:
        """Make ready.  Raises LostError where it dies, and what keeps it from beginning."""

    def do(self, payload: Any) -> tuple[float, Any]:
        """Seconds that the step took, and what it gave.  Raises LostError, or what the step did."""

    def stop(self) -> None:
        """End at once, whatever is being done."""


@dataclass(slots=True)
class _Job(Generic[P, R]):
    payload: P
    given: Future[R] = field(default_factory=Future)
    n_lost: int = 0


class Crew(Generic[P, R]):
    """So many workers at so many places (numbered from 0); `close` ends them at once."""

    def __init__(self, hire: Callable[[int], Worker], n_workers: int) -> None:
        self.n_workers = n_workers
        # One that is ready before the results of the last were written has the next at hand.
        self.n_ahead = 2 * n_workers
        self._hire = hire
        self._jobs: SimpleQueue[_Job[P, R] | None] = SimpleQueue()
        self._workers: dict[int, Worker] = {}
        self._closed = False
        self._lock = threading.Lock()
        self._seconds = [0.0] * n_workers
        self._began = time.monotonic()
        for place in range(n_workers):
            threading.Thread(target=self._serve, args=(place,), daemon=True).start()

    def submit(self, payload: P, /) -> Future[R]:
        """What a worker gives for it, or raises.  What kept a worker from beginning is raised too.

        LostError where the workers on it were lost again and again.
        """
        job = _Job[P, R](payload)
        self._jobs.put(job)
        return job.given

    @property
    def seconds(self) -> float:
        """Seconds of work, of all workers together."""
        return sum(self._seconds)

    @property
    def busy(self) -> float | None:
        """The share of the workers' time, since the crew was opened, in which they worked, 0..1."""
        return self.seconds / (self.n_workers * (time.monotonic() - self._began))

    def close(self) -> None:
        """End all workers, and what they are at."""
        with self._lock:
            self._closed = True
            for worker in self._workers.values():
                worker.stop()
        for _ in range(self.n_workers):
            self._jobs.put(None)

    def _serve(self, place: int) -> None:
        try:
            while not self._closed:
                self._until_lost(place, self._ready(place))
        except Exception as error:  # noqa: BLE001  # handed on
            # It ends the run: what is asked of a crew that cannot begin raises the reason.
            while (job := self._jobs.get()) is not None:
                job.given.set_exception(error)

    def _ready(self, place: int) -> Worker:
        for _ in range(TRIES):
            worker = self._worker(place)
            try:
                worker.begin()
            except LostError as error:
                lost = error
                worker.stop()
            else:
                return worker
        raise EngineError(
            f"a worker died {TRIES} times while it loaded its model ({lost}): take fewer workers, "
            "or a smaller model"
        )

    def _worker(self, place: int) -> Worker:
        with self._lock:
            if self._closed:
                raise EngineError("the run is over")
            self._workers[place] = self._hire(place)
            return self._workers[place]

    def _until_lost(self, place: int, worker: Worker) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                seconds, given = worker.do(job.payload)
            except LostError as error:
                worker.stop()
                self._again(job, error)
                return
            except Exception as error:  # noqa: BLE001  # the step's own, handed on
                job.given.set_exception(error)
            else:
                self._seconds[place] += seconds
                job.given.set_result(given)

    def _again(self, job: _Job[P, R], error: LostError) -> None:
        job.n_lost += 1
        if job.n_lost == TRIES:
            told = f"{TRIES} workers died at it, the last one {error}: is there memory enough?"
            job.given.set_exception(LostError(told))
            return
        if not self._closed:
            LOG.info("a worker was lost (%s): another does anew what it had", error)
        self._jobs.put(job)
