"""Where a verb's work runs: the options that say it, and what is told of it afterwards."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from corpus.errors import UsageError

if TYPE_CHECKING:
    from corpus.engine import Engine

__all__ = ["BatchSize", "Devices", "Processes", "RayAddress", "engine_of", "found_anywhere"]

Processes = Annotated[
    int | None,
    typer.Option(
        "--processes",
        min=1,
        help="Work in so many processes beside each other; with --ray, in so many there.",
    ),
]
RayAddress = Annotated[
    str,
    typer.Option("--ray", help="Work on the Ray cluster at this address; local: start one here."),
]
Devices = Annotated[
    str, typer.Option("--devices", help='GPUs by number, as in "0,1": a process for each of them.')
]
BatchSize = Annotated[
    int,
    typer.Option(
        "--batch-size", min=1, help="Windows of 30 s that whisper-ctc hears at once: more on a GPU."
    ),
]


def engine_of(processes: int | None, ray: str, device: str = "cpu", devices: str = "") -> Engine:
    """The engine that the options ask for; UsageError where they contradict each other.

    `device` "cpu" means that no GPU is of use.
    """
    named = tuple(name.strip() for name in devices.split(",") if name.strip())
    if named and (ray or device == "cpu"):
        raise UsageError("--devices is for processes of this machine, and not for --device cpu")
    if ray:
        from corpus.engine_ray import Ray

        return Ray(address=ray, n_workers=processes, device=device)
    from corpus import engine
    from corpus.run import n_cores

    n_workers = processes or len(named) or 1
    if n_workers == 1 and not named:
        return engine.Here()
    if not named and device != "cpu":
        named = _gpus()
    n_threads = max(1, n_cores() // n_workers)
    return engine.Processes(n_workers=n_workers, devices=named, n_threads=n_threads)


def _gpus() -> tuple[str, ...]:
    """The GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them."""
    with contextlib.suppress(ImportError):
        import torch

        n_gpus = torch.cuda.device_count()
        told = os.environ.get("CUDA_VISIBLE_DEVICES")
        return tuple(told.split(",")[:n_gpus] if told else map(str, range(n_gpus)))
    return ()


def found_anywhere(model: str) -> str:
    """The name of a model, or the path of its folder as a worker in another folder needs it."""
    folder = Path(model).expanduser()
    return str(folder.resolve()) if folder.is_dir() else model
