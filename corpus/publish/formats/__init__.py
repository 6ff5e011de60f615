"""What else a release becomes.  One file a format, found by listing this folder."""

from __future__ import annotations

import importlib
import pkgutil

from corpus.publish.formats.base import Format, Part

__all__ = ["Format", "Part", "formats"]


def formats() -> dict[str, Format]:
    """Every format, by its name."""
    found: dict[str, Format] = {}
    for module in pkgutil.iter_modules(__path__):
        made = importlib.import_module(f"{__name__}.{module.name}")
        if hasattr(made, "exporter"):
            found[made.exporter.name] = made.exporter
    return found
