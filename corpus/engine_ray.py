"""Steps on a Ray cluster: an actor for each worker, wherever Ray finds room for it.

Each machine needs this package, with the extras of the command, and the corpus under the same path
(or its audio in a bucket).  Results come back to the process that was started; it alone writes.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from corpus.crew import Crew
from corpus.engine import Make, Open, do, enter, load
from corpus.errors import EngineError, LostError, MissingExtraError
from corpus.log import LOG

__all__ = ["LOCAL", "Ray", "library"]

P = TypeVar("P")
R = TypeVar("R")

LOCAL = "local"
"""The address that means: start one on this machine."""

_KNOCK_S = 10.0
"""Seconds that the address of a cluster is waited for."""

_PATIENCE_S = 60.0
"""Seconds after which it is told that a worker has not begun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ray:
    """So many workers (None: one for every GPU, or else for every processor) at an address.

    `device` is "cpu", "cuda" (a GPU for each worker, shared where there are fewer) or "auto" (as
    the cluster has them).  Raises EngineError when the cluster is not to be had, MissingExtraError
    without ray.
    """

    address: str = LOCAL
    n_workers: int | None = None
    device: str = "auto"

    @contextlib.contextmanager
    def crew(self, make: Make[P, R]) -> Iterator[Open[P, R]]:
        """The actors; what Ray has no room for waits, and the others do the work."""
        ray = _connected(self.address, self.n_workers)
        there = ray.cluster_resources()
        n_cpus, n_gpus = int(there.get("CPU", 1)), int(there.get("GPU", 0))
        if self.device == "cuda" and not n_gpus:
            raise EngineError(f"the Ray cluster {self.address} has no GPU: say --device cpu")
        n_gpus = 0 if self.device == "cpu" else n_gpus
        n_workers = self.n_workers or n_gpus or n_cpus
        needs = {"num_cpus": 1.0, "num_gpus": 1 / -(-n_workers // n_gpus) if n_gpus else 0.0}
        environment = {
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(max(1, n_cpus // n_workers)))
        }

        def hire(place: int) -> _RayWorker:
            return _RayWorker(ray, make, needs, environment, tells=place == 0)

        crew = Crew[P, R](hire, n_workers)
        with contextlib.closing(crew):
            yield crew


def library() -> Any:
    """Ray, imported as it is used here.  Raises MissingExtraError without it."""
    # Ray reads these when it is imported.  A corpus is nobody's business.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Under `uv run` Ray would send the whole folder that the command was given in to every worker,
    # audio and all, and install an environment anew there: each machine has this package already.
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    try:
        import ray
    except ImportError as error:
        raise MissingExtraError("ray", "ray") from error
    return ray


def _connected(address: str, n_workers: int | None) -> Any:
    """The library, connected; a cluster that is started here ends with this process."""
    ray = library()
    if ray.is_initialized():
        return ray
    logging.getLogger("ray").setLevel(logging.ERROR)
    where: dict[str, Any] = {"address": address}
    if address == LOCAL:
        where["num_cpus"] = max(n_workers or 1, os.cpu_count() or 1)
    try:
        _knock(address)
        ray.init(**where, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    # Which one depends on how far it came.
    except (ConnectionError, RuntimeError, ValueError, OSError, ray.exceptions.RayError) as error:
        told = " ".join(str(error).split())
        raise EngineError(
            f"no Ray cluster can be used at '{address}' ({told}): `ray start` makes this machine "
            f"part of one, and --ray {LOCAL} starts one here"
        ) from error
    return ray


def _knock(address: str) -> None:
    """Raises OSError where nobody listens at HOST:PORT: Ray would try for minutes."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host, int(port)), timeout=_KNOCK_S).close()


class _RayWorker:
    """One actor: a process that Ray starts, on the machine that it chooses."""

    def __init__(
        self,
        ray: Any,
        make: Make[Any, Any],
        needs: Mapping[str, float],
        environment: Mapping[str, str],
        *,
        tells: bool,
    ) -> None:
        self._ray, self._make, self._environment, self._tells = ray, make, environment, tells
        # What is lost is done anew by who is free: an actor that begins anew waits for room.
        self._actor = ray.remote(_Actor).options(**needs, max_restarts=0).remote()

    def begin(self) -> None:
        """Wait until Ray has room for it, and load the model."""
        self._got(self._actor.call.remote(enter, self._environment), patience=self._tells)
        self._got(self._actor.call.remote(load, self._make))

    def do(self, payload: Any) -> tuple[float, Any]:
        """What the step gives, and how long it took."""
        done: tuple[float, Any] = self._got(self._actor.call.remote(do, payload))
        return done

    def stop(self) -> None:
        """Kill the actor."""
        with contextlib.suppress(self._ray.exceptions.RayError):
            self._ray.kill(self._actor)

    def _got(self, asked: Any, *, patience: bool = False) -> Any:
        if patience and not self._ray.wait([asked], timeout=_PATIENCE_S)[0]:
            LOG.info("ray: a worker has not begun in %d s: is there room for it?", _PATIENCE_S)
        errors = self._ray.exceptions
        try:
            return self._ray.get(asked)
        except errors.RayTaskError as error:
            raise error.cause from error
        except errors.RayError as error:
            raise LostError("killed, out of memory, or its machine is gone") from error


class _Actor:
    """What runs there."""

    def call(self, function: Callable[[Any], Any], argument: Any) -> Any:
        """Call one of the functions for workers of `corpus.engine`."""
        return function(argument)
