"""Workers that do one thing at a time: who is free takes what is next.

A worker that is lost (killed, its machine gone) is replaced; what it had is done anew by whichever
is free next.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class _Ready:
    place: int
    worker: Worker


class Crew(Generic[P, R]):
    """So many workers at so many places (numbered from 0); `close` ends them at once."""

    def __init__(self, hire: Callable[[int], Worker], n_workers: int) -> None:
        self.n_workers = n_workers
        # One that is ready before the results of the last were written has the next at hand.
        self.n_ahead = 2 * n_workers
        self._hire = hire
        self._asking = ThreadPoolExecutor(n_workers)
        # A replacement may wait for room for ever; what is asked does not wait for it.
        self._hiring = ThreadPoolExecutor(n_workers)
        self._free: SimpleQueue[_Ready | Exception] = SimpleQueue()
        self._workers: dict[int, Worker] = {}
        self._closed = False
        self._lock = threading.Lock()
        self._seconds = [0.0] * n_workers
        self._began = time.monotonic()
        for place in range(n_workers):
            self._hiring.submit(self._fill, place)

    def submit(self, payload: P, /) -> Future[R]:
        """What a worker gives for it, or raises.  What kept a worker from beginning is raised too.

        LostError where the workers on it were lost again and again.
        """
        return self._asking.submit(self._done, payload)

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
        self._free.put(EngineError("the run is over"))
        for pool in (self._asking, self._hiring):
            pool.shutdown(wait=False, cancel_futures=True)

    def _done(self, payload: P) -> R:
        for n_lost in range(1, TRIES + 1):
            ready = self._free.get()
            if isinstance(ready, Exception):
                self._free.put(ready)  # the next one who asks is told too
                raise ready
            try:
                return self._did(ready, payload)
            except LostError as error:
                lost = error
            if n_lost < TRIES and not self._closed:
                LOG.info("a worker was lost (%s): another does anew what it had", lost)
        raise LostError(f"{TRIES} workers died at it, the last one {lost}: is there memory enough?")

    def _did(self, ready: _Ready, payload: P) -> R:
        given: R
        try:
            seconds, given = ready.worker.do(payload)
        except LostError:
            ready.worker.stop()
            with self._lock:
                if not self._closed:
                    self._hiring.submit(self._fill, ready.place)
            raise
        except Exception:
            self._free.put(ready)
            raise
        self._seconds[ready.place] += seconds
        self._free.put(ready)
        return given

    def _fill(self, place: int) -> None:
        """Bring a worker to a place; what keeps it from beginning ends the run."""
        try:
            self._free.put(_Ready(place, self._begun(place)))
        except Exception as error:  # noqa: BLE001  # handed on
            self._free.put(error)

    def _begun(self, place: int) -> Worker:
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
