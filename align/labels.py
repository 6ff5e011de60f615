"""What a frame of emissions may be."""

from __future__ import annotations

from collections.abc import Callable, Iterable

__all__ = ["LABELS", "Speller"]

LABELS = ("", *"abcdefghijklmnopqrstuvwxyzñ'")
"""Blank first, then the letters that `corpus.text.letters` gives."""

Speller = Callable[[str, str], Iterable[str]]
"""The labels of a word in a language."""
