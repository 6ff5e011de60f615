"""The stage: texts that people corrected get the times of their words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from align.aligner import Aligner
from align.checks import check_words
from align.graph import AS_WRITTEN
from align.listening import Listening
from align.placing import place
from corpus.errors import AlignmentError
from corpus.media import Media
from corpus.records import Annotation, Verdict, Word, content_id
from corpus.run import Failure, Item, Outcome
from corpus.workspace import Workspace

__all__ = ["Corrected", "Timing", "WordTimes", "words_within"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """What people say of one recording, where its words have no times."""

    recording: str
    annotations: tuple[Annotation, ...]


class WordTimes:
    """Corrected texts of a workspace whose words have no times; `model` is what hears."""

    def __init__(self, workspace: Workspace, model: str) -> None:
        self.workspace = workspace
        self.model = model

    def items(self) -> list[Item[Corrected]]:
        """Recordings with corrected texts that speak and whose words have no times."""
        store = self.workspace.store
        utterances = store.aligned_utterances()
        newest = {one.utterance: one for one in store.annotations() if one.verdict.decides}
        untimed: dict[str, list[Annotation]] = defaultdict(list)
        for id_, said in newest.items():
            if said.verdict is Verdict.CORRECTED and said.text.split() and not said.words:
                untimed[utterances[id_].recording].append(said)
        return [
            Item(
                key=recording,
                inputs=content_id(self.model, *(one.id for one in found)),
                payload=Corrected(recording=recording, annotations=tuple(found)),
            )
            for recording, found in untimed.items()
        ]


class Timing:
    """Places the words of corrected texts within the ends that people gave them."""

    def __init__(self, aligner: Aligner, media: Media) -> None:
        self.aligner = aligner
        self.media = media

    def __call__(self, corrected: Corrected) -> Outcome:
        """The annotations with their words; what has no room for them is told and left."""
        listening = self.aligner.listen(self.media.samples(corrected.recording))
        timed, failures = [], []
        for said in corrected.annotations:
            try:
                words = words_within(listening, said.text.splitlines(), said.start, said.end)
                timed.append(replace(said, words=words))
            except AlignmentError as error:
                item = f"{corrected.recording}:{said.utterance}"
                failures.append(Failure(item=item, reason=str(error)))
        return Outcome(records=tuple(timed), failures=tuple(failures))


def words_within(
    listening: Listening, lines: Sequence[str], start: float, end: float
) -> tuple[Word, ...]:
    """Each word of the lines, all of which are sung once from `start` to `end` s.

    Raises AlignmentError when the text has no letters or there is no room for it.
    """
    part = listening.between(start, end)
    placed = place(part, lines, AS_WRITTEN)
    check_words(lines, placed.lines)
    ordered = sorted(placed.lines, key=lambda line: line.line)
    return tuple(
        replace(word, start=start + word.start, end=min(start + word.end, end))
        for line in ordered
        for word in line.words
    )
