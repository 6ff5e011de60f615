"""Forced alignment: when each word of a letra is sung in a recording, as often as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from align.checks import check_heard, check_words
from align.confidence import SHIPPED_JUDGE, Judges, judged, load_judges
from align.emissions import AcousticModel, Progress
from align.graph import AS_SUNG, WRITTEN_OUT, Prices, build_graph
from align.listening import Listening, without_prior
from align.placing import place
from align.records import AlignedLine, Alignment
from corpus.media import SAMPLE_RATE, Samples
from corpus.records import Segment
from corpus.text import fold

__all__ = ["AlignedLine", "Aligner", "Alignment", "prices_for"]


class Aligner:
    """Places lines of text on audio with an acoustic model.

    One Viterbi path runs through all lines; what is sung between them costs little.
    """

    def __init__(
        self, model: AcousticModel, language: str = "es", judges: Judges | None = None
    ) -> None:
        self.model = model
        self.language = language
        self.judges = judges or load_judges(SHIPPED_JUDGE)

    def align(
        self,
        samples: Samples,
        lines: Sequence[str],
        progress: Progress | None = None,
        draft: Sequence[Segment] = (),
        prices: Prices = AS_SUNG,
    ) -> Alignment:
        """Every line that has words, once at least, with every word as written, in seconds.

        A free transcript, where there is one, is more evidence for the probabilities.
        `prices` tell what a singer may do with the text (`prices_for`).

        Raises AlignmentError when nothing is heard, the text has no letters or the
        audio is too short for it.
        """
        check_heard(samples)
        written = [line.strip() for line in lines if line.strip()]
        # Before anything is listened to: a text without letters is told of at once.
        words = [line.split() for line in written]
        build_graph(words, self.model.labels, self.language)
        listening = self.listen(samples, progress)
        aligned = place(listening, written, prices)
        check_words(written, aligned.lines)
        return replace(aligned, lines=judged(aligned.lines, listening, self.judges, draft))

    def listen(self, samples: Samples, progress: Progress | None = None) -> Listening:
        """What the model hears."""
        return Listening(
            heard=without_prior(self.model.hear(samples, progress)),
            labels=self.model.labels,
            frame_rate=self.model.frame_rate,
            duration=samples.n_samples / SAMPLE_RATE,
            language=self.language,
        )


def prices_for(lines: Sequence[str]) -> Prices:
    """What singers may do with a text: one in which a line comes back is written out as sung."""
    folded = [text for text in map(fold, lines) if text]
    return AS_SUNG if len(set(folded)) == len(folded) else WRITTEN_OUT
