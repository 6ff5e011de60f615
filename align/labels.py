"""What a frame of emissions may be."""

from __future__ import annotations

__all__ = ["LABELS"]

LABELS = ("", *"abcdefghijklmnopqrstuvwxyzñ'")
"""Blank first, then the letters that `corpus.text.letters` gives."""
