"""Where the tensors live, and how much memory the process took."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from corpus.errors import TrainError
from train.config import Device, Precision

__all__ = ["in_bfloat16", "peak_memory_mb", "pick_device", "sharded"]

_TOLD = Path("/proc/cpuinfo")
"""Where Linux tells what the processor can; other systems have no such file."""

_MULTIPLY = ("amx_bf16", "avx512_bf16")
"""Its names for what multiplies bfloat16: matrices (Intel), vectors (Intel and AMD)."""


def pick_device(wanted: Device) -> str:
    """The device that is meant: with "auto" a GPU where there is one.

    Raises TrainError when the one asked for is not there.
    """
    import torch

    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.mps.is_available()}
    if wanted == "auto":
        return next(name for name in ("cuda", "mps", "cpu") if there[name])
    if not there[wanted]:
        raise TrainError(f"no device '{wanted}' on this machine: take 'auto' or 'cpu'")
    return wanted


def in_bfloat16(precision: Precision, device: str) -> bool:
    """Whether to count with bfloat16: if asked, and with "auto" where the chip multiplies in it.

    That is a GPU that has it, or a CPU with AMX or AVX512_BF16: others only imitate it, slowly.
    """
    import torch

    if precision != "auto":
        return precision == "bfloat16"
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return device == "cpu" and _cpu_multiplies_in_bfloat16()


def _cpu_multiplies_in_bfloat16() -> bool:
    try:
        told = _TOLD.read_text("ascii", "replace")
    except OSError:
        return False
    return any(flag in told for flag in _MULTIPLY)


def peak_memory_mb() -> float | None:
    """The most memory that this process held so far, in MB; None where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def sharded() -> bool:
    """Whether `accelerate launch` was told to lay the weights over several devices."""
    return any(
        os.environ.get(f"ACCELERATE_USE_{name}", "").lower() == "true"
        for name in ("FSDP", "DEEPSPEED")
    )
