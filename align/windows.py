"""Cutting long audio into windows that overlap, so that memory does not grow with its length."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Window", "windows"]


@dataclass(frozen=True, slots=True)
class Window:
    """Frames `begin` to `end` are heard; what comes of `keep_from` to `keep_to` is kept."""

    begin: int
    end: int
    keep_from: int
    keep_to: int

    @property
    def kept(self) -> slice:
        """What is kept, counted from `begin`."""
        return slice(self.keep_from - self.begin, self.keep_to - self.begin)


def windows(n_frames: int, length: int, overlap: int) -> Iterator[Window]:
    """Windows of at most `length` frames, each sharing `2 * overlap` with the next.

    What is kept adds up to every frame once, and lies at least `overlap` frames
    from the edge of its window, but for the two ends of the audio.
    """
    begin = 0
    while begin < n_frames:
        end = min(begin + length, n_frames)
        last = end == n_frames
        keep_from = begin + overlap if begin else 0
        yield Window(begin, end, keep_from, end if last else end - overlap)
        if last:
            return
        begin += length - 2 * overlap
