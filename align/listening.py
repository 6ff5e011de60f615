"""What was heard in a recording, with all that is needed to read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from align.emissions import Heard
from align.graph import AS_WRITTEN, Graph, Prices, build_graph
from align.labels import Speller
from corpus.text import letters

__all__ = ["BLANK_PRIOR", "Listening", "without_prior"]

BLANK_PRIOR = 3.0
"""Nats; from 2.5 to 3 lines that come back are found best, from 4 on words are moved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """What a model heard in audio of `duration` s, and how a text is spelled in its labels."""

    heard: Heard
    labels: tuple[str, ...]
    frame_rate: float
    duration: float
    language: str = "es"
    spell: Speller = letters

    def graph(self, lines: Sequence[str], prices: Prices = AS_WRITTEN) -> Graph:
        """What may have been sung of lines; raises AlignmentError when they have no letters."""
        words = [line.split() for line in lines]
        return build_graph(words, self.labels, self.language, prices, self.spell)

    def between(self, start: float, end: float) -> Listening:
        """The same of a part of the audio."""
        part = slice(round(start * self.frame_rate), round(end * self.frame_rate))
        heard = Heard(letters=self.heard.letters[part], voice=self.heard.voice[part])
        return replace(self, heard=heard, duration=end - start)


def without_prior(heard: Heard, blank: float = BLANK_PRIOR) -> Heard:
    """The same with blanks `blank` nats less likely, so that unsure letters count.

    A model that was trained with CTC says blank wherever it is not sure, for most
    frames of its training were blanks: a chorus that it half understands then costs
    hardly more when passed over than when read.  After Huang et al., Less peaky and
    more accurate CTC forced alignment by label priors (ICASSP 2024).
    """
    scores = heard.letters.copy()
    scores[:, 0] -= blank
    scores -= np.logaddexp.reduce(scores, axis=1, keepdims=True)
    return Heard(letters=scores, voice=heard.voice)
