"""The card of a release as it stands at the hub: with what the hub reads, and without it again.

`configs` are written for the hub only: with them, datasets 5.0 takes two local folders of one
name for the same dataset.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from corpus.errors import PublishError

__all__ = ["GATE_FIELDS", "GATE_PROMPT", "dressed", "gate_of", "undressed"]

GATE_PROMPT, GATE_FIELDS = "extra_gated_prompt", "extra_gated_fields"

_MARK = "# What follows is for the hub: `corpus pull` takes it off again."


def dressed(card: str, splits: Iterable[str], gate: Mapping[str, Any]) -> str:
    """A card with the files of each split, and what who asks for access is asked.

    Raises PublishError where it has no metadata.
    """
    head, end, body = card.partition("\n---\n")
    if not card.startswith("---\n") or not end:
        raise PublishError("README.md begins without metadata (---): make the release anew")
    files = [{"split": split, "path": f"data/{split}-*.parquet"} for split in splits]
    added = {"configs": [{"config_name": "default", "data_files": files}], **gate}
    told = yaml.safe_dump(added, sort_keys=False, allow_unicode=True).rstrip("\n")
    return f"{head}\n{_MARK}\n{told}{end}{body}"


def undressed(card: str) -> str:
    """The card as it was before it was put on the hub."""
    return re.sub(rf"\n{re.escape(_MARK)}\n.*?(?=\n---\n)", "", card, count=1, flags=re.DOTALL)


def gate_of(card: str) -> dict[str, Any]:
    """What a card says that who asks for access is asked; nothing where it cannot be read."""
    head = re.match(r"---\n(.*?)\n---\n", card, re.DOTALL)
    try:
        told = yaml.safe_load(head[1]) if head else None
    except yaml.YAMLError:
        return {}
    if not isinstance(told, dict):
        return {}
    return {key: value for key, value in told.items() if str(key).startswith("extra_gated_")}
