"""One recording, to be asked which verses are sung in it (corpus/match/hearing.py).

Which verses to ask for, of a million, is read from what may have been heard: readings are
drawn frame by frame from the model's probabilities, so that a syllable that it half
understood is there in some of them.  The verses asked for are then searched in the sound
itself (align/spot.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from math import ceil

import numpy as np
from numpy.typing import NDArray

from align.aligner import Aligner
from align.checks import check_heard
from align.emissions import Progress
from align.listening import BLANK_PRIOR, Listening, without_prior
from align.spot import Sound, Voices, scores, sound_of, spans, voices_of
from align.voice import worded
from corpus.match.hearing import Place
from corpus.media import Samples
from corpus.run import n_cores

__all__ = ["Ear", "Listener"]

_READINGS = 20
_STRETCH, _STEP = 20.0, 10.0
"""Seconds: a verse of four lines, and its half."""

_PART = 4.0
"""Seconds: a verse that is sung again ends in another part."""

_WORSE = 1.0
"""Nats a letter by which a verse may be heard worse where it is sung again."""

_AGAIN = 6
"""Places of a verse, the best."""

_LOOKED_AT = 600
"""Places whose beginnings are looked for: most of them are those of strangers."""

_LONGER = 0.6
"""Nats for the logarithm of the letters: the fewer they are, the better they fit by chance."""


class Listener:
    """Answers what matching asks of recordings, by an aligner's model."""

    def __init__(self, aligner: Aligner) -> None:
        self._aligner = aligner
        self.name = aligner.model.name

    def listen(self, samples: Samples, progress: Progress | None = None) -> Ear:
        """What the model hears of a recording.

        Raises AlignmentError where there is nothing to be heard.
        """
        check_heard(samples)
        return Ear(self._aligner.listen(samples, progress))


class Ear:
    """What was heard in a recording, as `Aligner.listen` gives it."""

    def __init__(self, listening: Listening) -> None:
        self._listening = listening
        self._sound: Sound = sound_of(listening)

    def readings(self) -> list[tuple[str, ...]]:
        """For each stretch of 20 s, half of it the next one's, what may have been sung there.

        Letters without spaces; the first reading is the likeliest of each frame.  The same
        recording has the same readings.
        """
        heard = without_prior(self._listening.heard, -BLANK_PRIOR).letters
        rng = np.random.default_rng(0)
        shares = np.exp(heard).cumsum(axis=1)
        drawn = [heard.argmax(axis=1)]
        for _ in range(_READINGS):
            lots = rng.random((len(heard), 1)) * shares[:, -1:]
            drawn.append((shares < lots).sum(axis=1))
        streams = [self._letters(row) for row in drawn]
        n = max(1, ceil((self._listening.duration - _STRETCH) / _STEP) + 1)
        return [tuple(self._between(one, k * _STEP) for one in streams) for k in range(n)]

    def _letters(self, row: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Frames and labels where a label begins that is no blank."""
        begins = np.append(True, row[1:] != row[:-1]) & (row != 0)
        frames = np.flatnonzero(begins)
        return frames, row[frames]

    def _between(self, stream: tuple[NDArray[np.int64], NDArray[np.int64]], start: float) -> str:
        frames, labels = stream
        rate = self._listening.frame_rate
        first, last = np.searchsorted(frames, [start * rate, (start + _STRETCH) * rate])
        return "".join(self._listening.labels[label] for label in labels[first:last])

    def letters(self, start: float, end: float) -> str:
        """The letters that were likeliest heard between two times, without spaces."""
        heard = without_prior(self._listening.heard, -BLANK_PRIOR).letters
        first, last = (round(at * self._listening.frame_rate) for at in (start, end))
        _, labels = self._letters(heard[first:last].argmax(axis=1))
        return "".join(self._listening.labels[label] for label in labels)

    def sung(self) -> list[tuple[float, float]]:
        """When words are sung, (start, end) s."""
        heard, rate = self._listening.heard, self._listening.frame_rate
        return worded(heard, self._listening.labels, rate)

    def places(self, verses: Sequence[Sequence[str]]) -> list[tuple[Place, ...]]:
        """Where each verse (lines of text) fits, the best place first.

        Of many verses only those that fit best, for their length, have a place.  A verse
        without letters has none, nor one longer than what was heard.
        """
        if not verses or not len(self._sound.blank):
            return [() for _ in verses]
        voices = voices_of(verses, self._listening)
        n_parts = max(1, ceil(self._listening.duration / _PART))
        best, ends = scores(self._sound, voices, n_parts, n_cores())
        found: dict[int, list[Place]] = defaultdict(list)
        for verse, place in self._spotted(voices, _peaks(best, np.diff(voices.starts)), best, ends):
            if all(_apart(place, other) for other in found[verse]):
                found[verse].append(place)
        return [tuple(found[verse][:_AGAIN]) for verse in range(len(verses))]

    def _spotted(
        self,
        voices: Voices,
        peaks: Sequence[tuple[int, int]],
        best: NDArray[np.float32],
        ends: NDArray[np.int32],
    ) -> list[tuple[int, Place]]:
        """Verses in parts with their beginnings and ends, the best first."""
        verses = [verse for verse, _ in peaks]
        last = [int(ends[peak]) for peak in peaks]
        found = spans(self._sound, voices, verses, last, [float(best[peak]) for peak in peaks])
        placed = [Place(score=float(one.score), start=one.start, end=one.end) for one in found]
        return sorted(zip(verses, placed, strict=True), key=lambda one: -one[1].score)


def _apart(one: Place, other: Place) -> bool:
    return one.start >= other.end or one.end <= other.start


def _peaks(best: NDArray[np.float32], n_letters: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Verses and parts: where a verse ends better than in those beside, and nearly its best.

    `best` has the shape (n_verses, n_parts), `n_letters` (n_verses,).
    """
    padded = np.pad(best, ((0, 0), (1, 1)), constant_values=-np.inf)
    peaks = (best >= padded[:, :-2]) & (best > padded[:, 2:])
    peaks &= (best >= best.max(axis=1, keepdims=True) - _WORSE) & np.isfinite(best)
    verses, parts = np.nonzero(peaks)
    worth = best[verses, parts] + _LONGER * np.log(n_letters[verses])
    ranked = np.argsort(-worth, kind="stable")[:_LOOKED_AT]
    return [(int(verses[k]), int(parts[k])) for k in ranked]
