"""Where steps run: in this process, in others of this machine; on Ray, see `corpus.engine_ray`.

An engine is given `make`, which is called once in each worker and gives the step: a model is loaded
then.  For any engine but `Here` it must be picklable (a function of a module, or a partial of one,
with frozen values), and so must be what the step is given and what it gives.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import (
    FIRST_COMPLETED,
    CancelledError,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Generic, Protocol, TypeVar

from corpus.crew import Crew
from corpus.errors import LostError

__all__ = [
    "Engine",
    "Here",
    "Make",
    "Open",
    "Processes",
    "as_ended",
    "do",
    "enter",
    "in_order",
    "load",
]

P = TypeVar("P")
R = TypeVar("R")
P_contra = TypeVar("P_contra", contravariant=True)

Make = Callable[[], Callable[[P], R]]


class Open(Protocol[P_contra, R]):
    """Workers that can be asked.

    `n_ahead` is how much may be asked before something is there; `seconds` how long they worked,
    all together; `busy` the share of their time, 0..1, or None where this process does it all.
    """

    @property
    def n_workers(self) -> int: ...  # noqa: D102  # told above
    @property
    def n_ahead(self) -> int: ...  # noqa: D102
    @property
    def seconds(self) -> float: ...  # noqa: D102
    @property
    def busy(self) -> float | None: ...  # noqa: D102

    def submit(self, payload: P_contra, /) -> Future[R]:
        """What the step gives, or raises; LostError where its workers were lost again and again."""


class Engine(Protocol):
    """Where steps run."""

    def crew(self, make: Make[P, R]) -> contextlib.AbstractContextManager[Open[P, R]]:
        """Workers with a step each, which end with the block, also where that ends badly."""


def as_ended(crew: Open[P, R], payloads: Iterable[P]) -> Iterator[list[tuple[P, Future[R]]]]:
    """What ended since the last time, in the order in which it began."""
    running: dict[Future[R], P] = {}
    for payload in payloads:
        running[crew.submit(payload)] = payload
        if len(running) >= crew.n_ahead:
            yield _ended(running)
    while running:
        yield _ended(running)


def _ended(running: dict[Future[R], P]) -> list[tuple[P, Future[R]]]:
    done = wait(running, return_when=FIRST_COMPLETED).done
    return [(running.pop(one), one) for one in list(running) if one in done]


def in_order(crew: Open[P, R], payloads: Iterable[P]) -> Iterator[R]:
    """What the step gives for each, in their order."""
    waiting: deque[Future[R]] = deque()
    for payload in payloads:
        waiting.append(crew.submit(payload))
        if len(waiting) > crew.n_ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


# ---- in this process


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """This process, in so many threads; one does each thing before it is asked the next."""

    n_workers: int = 1

    @contextlib.contextmanager
    def crew(self, make: Make[P, R]) -> Iterator[Open[P, R]]:
        """The threads; they share one step."""
        opened = _Threads(make(), self.n_workers)
        try:
            yield opened
        finally:
            # Who was interrupted does not wait for what nobody will save.
            opened.pool.shutdown(wait=False, cancel_futures=True)


class _Threads(Generic[P, R]):
    busy = None

    def __init__(self, step: Callable[[P], R], n_workers: int) -> None:
        self.n_workers = n_workers
        self.n_ahead = 1 if n_workers == 1 else 2 * n_workers
        self.seconds = 0.0
        self.pool = ThreadPoolExecutor(n_workers)
        self._step = step
        self._lock = threading.Lock()

    def submit(self, payload: P, /) -> Future[R]:
        """Begun by the next thread; by this one where there is one only."""
        if self.n_workers > 1:
            return self.pool.submit(self._do, payload)
        given = Future[R]()
        try:
            given.set_result(self._do(payload))
        except Exception as error:  # noqa: BLE001  # handed on: who asks for the result gets it
            given.set_exception(error)
        return given

    def _do(self, payload: P) -> R:
        began = time.monotonic()
        try:
            return self._step(payload)
        finally:
            with self._lock:
                self.seconds += time.monotonic() - began


# ---- in others of this machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Processes:
    """So many processes, each with its own model and `n_threads` threads to count with.

    `devices` are GPUs as CUDA_VISIBLE_DEVICES names them: each process sees one, in turn.
    """

    n_workers: int
    devices: tuple[str, ...] = ()
    n_threads: int = 1

    @contextlib.contextmanager
    def crew(self, make: Make[P, R]) -> Iterator[Open[P, R]]:
        """The processes, begun beside each other."""

        def hire(place: int) -> _Process:
            return _Process(make, self._environment(place))

        crew = Crew[P, R](hire, self.n_workers)
        with contextlib.closing(crew):
            yield crew

    def _environment(self, place: int) -> dict[str, str]:
        found = {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(self.n_threads))}
        if self.devices:
            found["CUDA_VISIBLE_DEVICES"] = self.devices[place % len(self.devices)]
        return found


class _Process:
    """One process, so that it is known what it was at when it died."""

    def __init__(self, make: Make[Any, Any], environment: Mapping[str, str]) -> None:
        # CUDA does not survive a fork.
        context = multiprocessing.get_context("spawn")
        self._make = make
        self._far_end, self._leash = context.Pipe(duplex=False)
        self._pool = ProcessPoolExecutor(
            1, mp_context=context, initializer=_on_leash, initargs=(self._far_end, environment)
        )

    def begin(self) -> None:
        """Start it and load the model."""
        self._called(load, self._make)

    def do(self, payload: Any) -> tuple[float, Any]:
        """What the step gives, and how long it took."""
        done: tuple[float, Any] = self._called(do, payload)
        return done

    def stop(self) -> None:
        """Kill it: by itself it would first end what it is at."""
        self._leash.close()
        self._far_end.close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _called(self, function: Callable[[Any], Any], argument: Any) -> Any:
        try:
            given = self._pool.submit(function, argument)
        except RuntimeError as error:  # it was lost, or stopped, before it was asked
            raise LostError("killed, or out of memory") from error
        try:
            return given.result()
        except (BrokenProcessPool, CancelledError) as error:
            raise LostError("killed, or out of memory") from error


def _on_leash(far_end: Connection, environment: Mapping[str, str]) -> None:
    """What a process does first."""
    # Ctrl-C reaches all processes of a terminal; the one that was started decides what ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(far_end,), daemon=True).start()
    enter(environment)


def _end_with(far_end: Connection) -> None:
    """End when the other end is closed, or the process that held it was killed."""
    with contextlib.suppress(EOFError, OSError):
        far_end.recv()
    os._exit(1)


# ---- in a worker, wherever it is

_ROOM: dict[str, Callable[[Any], Any]] = {}


def enter(environment: Mapping[str, str]) -> None:
    """Set what libraries read when they are loaded; so it comes before the model."""
    os.environ.update(environment)


def load(make: Make[Any, Any]) -> None:
    """Make the step of this worker."""
    _ROOM["step"] = make()


def do(payload: Any) -> tuple[float, Any]:
    """The seconds that the step took, and what it gave."""
    began = time.monotonic()
    given = _ROOM["step"](payload)
    return time.monotonic() - began, given
