"""Collectors: recordings come in.  One file a collector; each is found by listing this folder."""

from __future__ import annotations

import importlib
import pkgutil

from corpus.collect.base import Collector, Found
from corpus.errors import MediaError

__all__ = ["Collector", "Found", "collector_for", "collectors"]


def collectors() -> tuple[Collector, ...]:
    """Every collector; those that take few kinds of source before the one that takes any file."""
    found: list[Collector] = []
    for module in pkgutil.iter_modules(__path__):
        made = importlib.import_module(f"{__name__}.{module.name}")
        if hasattr(made, "collector"):
            found.append(made.collector)
    return tuple(sorted(found, key=lambda collector: collector.name == "files"))


def collector_for(source: str) -> Collector:
    """The collector that takes a path or URL; raises MediaError when none does."""
    for collector in collectors():
        if collector.accepts(source):
            return collector
    raise MediaError(f"{source}: no collector takes this; name a file, a folder, a table or a URL")
