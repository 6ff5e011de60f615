"""A round of `corpus improve` that is under way: how all stood when it began.

What changes is told at its end, against that, however often it was interrupted.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from pydantic import ValidationError

from corpus.records import Utterance
from corpus.rows import adapter
from corpus.whole import removed, writing
from corpus.workspace import Workspace

__all__ = ["NOTE", "Round", "begun", "ended"]

NOTE = "improving.json"
"""The file in a corpus that tells of a round which has not come to its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """The utterances before it, and the folder of the head that it makes, if it makes one."""

    utterances: tuple[Utterance, ...]
    head: str


def begun(workspace: Workspace) -> Round:
    """The round under way, or a new one; raises MediaError where that cannot be noted."""
    path = workspace.root / NOTE
    with contextlib.suppress(OSError, ValidationError):
        known: Round = adapter(Round).validate_json(path.read_bytes())
        return known
    heads = len(list((workspace.root / "heads").glob("head-*/head.safetensors")))
    new = Round(utterances=workspace.store.utterances(), head=f"heads/head-{heads + 1}")
    with writing(path) as scratch:
        scratch.write_bytes(adapter(Round).dump_json(new))
    return new


def ended(workspace: Workspace) -> None:
    """The next one is a new one."""
    removed(workspace.root / NOTE)
