"""How much speaks for a verse: its title and artist, and the draft transcript."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from rapidfuzz import fuzz

from corpus.lyrics.variants import likeness
from corpus.match.hearing import Ear, Place
from corpus.match.index import TitleHit, VerseIndex
from corpus.match.sounding import Heard, Sound, heard_places, probability
from corpus.records import Recording, Segment, VerseSource
from corpus.spelling import fold_sound
from corpus.synth.coplas import COPLAS
from corpus.text import fold

__all__ = ["CHANCE", "SURE", "DraftText", "Evidence", "gather"]

CHANCE = 0.56
"""What 95 of 100 verses stay below against a draft they are not sung in.

Four lines of 24 letters against twelve other stanzas: 0.524 on the mean, 0.556 and 0.569 at
the 95th and 99th percentile; see docs/benchmarks.md, matching by text.
"""
SURE = 0.72
"""What the best of 18,000 strangers stays below, but for variants of the verse itself.

Against drafts with four words of ten spoilt the best stranger has 0.587 on the mean, the verses
that are in it 0.68 at the 5th percentile and 0.82 on the median; see docs/benchmarks.md.
"""

_DRAFT_OFF = 3.0
"""Seconds."""

_ALIKE = 0.5
"""The likeness from which two verses are no rivals: they share half their lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What speaks for one verse, in 0..1; `start` and `end` in seconds where it was heard."""

    verse: str
    title: float = 0.0
    first_line: bool = False
    artist: float | None = None
    text: float = 0.0
    sound: Sound | None = None
    start: float | None = None
    end: float | None = None
    letra: str = ""
    position: int = 0

    @property
    def score(self) -> float:
        """The probability that the verse is sung (there, where it was heard).

        Sound (with the title, or the title alone) and text are two witnesses: both wrong
        together is what is left of doubt.  The text counts from chance on, and in full from
        where no stranger comes.
        """
        witness = self.title if self.sound is None else probability(self.sound, self.title)
        heard = min(1.0, max(0.0, self.text - CHANCE) / (SURE - CHANCE))
        return 1 - (1 - witness) * (1 - heard)

    @property
    def reason(self) -> str:
        """The evidence in words."""
        parts = []
        if self.title:
            named_after = "first line is the title" if self.first_line else "title"
            parts.append(f"{named_after} {self.title:.2f}")
        if self.title and self.artist is not None:
            parts.append(f"artist {self.artist:.2f}")
        if self.sound is not None:
            parts.append(f"sound {self.sound.score:.2f} (strangers {self.sound.level:.2f})")
            parts.append(f"ahead {self.sound.lead:.2f}")
        if self.text or self.sound is None:
            parts.append(f"text {self.text:.2f}")
        return ", ".join(parts)


class DraftText:
    """A draft as one folded text, with the time of each of its characters, and as written."""

    def __init__(self, segments: Sequence[Segment]) -> None:
        pieces = [(fold_sound(segment.text), segment) for segment in segments]
        kept = [(text, segment) for text, segment in pieces if text]
        self.text = " ".join(text for text, _ in kept)
        self.written = " ".join(segment.text for _, segment in kept)
        self._segments = [segment for _, segment in kept]
        self._starts: list[int] = []
        at = 0
        for text, _ in kept:
            self._starts.append(at)
            at += len(text) + 1

    def time_at(self, character: int) -> float:
        """Seconds at which a character of `text` was heard, evenly spread in its segment."""
        i = max(0, bisect_right(self._starts, character) - 1)
        segment, start = self._segments[i], self._starts[i]
        end = self._starts[i + 1] - 1 if i + 1 < len(self._starts) else len(self.text)
        share = min(1.0, (character - start) / max(1, end - start))
        return segment.start + share * (segment.end - segment.start)


def gather(
    recording: Recording | None, draft: DraftText, index: VerseIndex, ear: Ear | None = None
) -> list[Evidence]:
    """The evidence for every verse that anything speaks for, by place where it was heard.

    Nothing is known of the title of a `recording` that is None.
    """
    titled = _by_title(recording, index) if recording else {}
    candidates = dict.fromkeys([*titled, *index.by_text(draft.written)])
    if ear is not None:
        candidates |= dict.fromkeys(index.by_readings(ear.readings()))
    found = [_heard(titled.get(id_, Evidence(verse=id_)), draft, index) for id_ in candidates]
    return found if ear is None else _sounding(found, index, ear)


def _sounding(found: Sequence[Evidence], index: VerseIndex, ear: Ear) -> list[Evidence]:
    """The same verses where they are heard in the sound, those that fit best."""
    verses = [index.verses[one.verse] for one in found]
    places = ear.places([verse.lines for verse in verses])

    @cache
    def alike(one: int, other: int) -> bool:
        return likeness(verses[one].lines, verses[other].lines) >= _ALIKE

    heard = heard_places(
        places,
        [sum(map(str.isalpha, verse.text)) for verse in verses],
        ear.places([copla.lines for copla in COPLAS]),
        alike,
        always={k for k, one in enumerate(found) if one.title},
    )
    return [*_both(found, heard), *_text_alone(found, heard)]


def _both(found: Sequence[Evidence], heard: Sequence[Heard]) -> Iterator[Evidence]:
    """Verses in the places of the sound; a text counts only where it was heard there too."""
    for one in heard:
        mine = found[one.verse]
        yield replace(
            mine,
            sound=one.sound,
            start=one.place.start,
            end=one.place.end,
            text=mine.text if _near(mine, one.place) else 0.0,
        )


def _text_alone(found: Sequence[Evidence], heard: Sequence[Heard]) -> Iterator[Evidence]:
    """Verses whose text was heard where their sound was not; a title says nothing of a place."""
    sounding = {one.verse for one in heard if _near(found[one.verse], one.place)}
    for k, one in enumerate(found):
        if one.text > CHANCE and one.start is not None and k not in sounding:
            yield replace(one, title=0.0)


def _near(one: Evidence, place: Place) -> bool:
    """Whether a text and a place are within the time that a draft may be off."""
    if one.start is None or one.end is None:
        return False
    return place.start < one.end + _DRAFT_OFF and place.end > one.start - _DRAFT_OFF


def _heard(evidence: Evidence, draft: DraftText, index: VerseIndex) -> Evidence:
    verse = fold_sound(index.verses[evidence.verse].text)
    found = fuzz.partial_ratio_alignment(verse, draft.text) if draft.text else None
    # A verse longer than the draft is searched the other way round, and says little.
    if found is None or len(verse) > len(draft.text):
        return evidence
    text = found.score / 100
    if text <= CHANCE:
        return replace(evidence, text=text)
    start, end = draft.time_at(found.dest_start), draft.time_at(found.dest_end)
    return replace(evidence, text=text, start=start, end=end)


def _by_title(recording: Recording, index: VerseIndex) -> dict[str, Evidence]:
    """Verses of the letras that bear the recording's title, and those that begin with it.

    A title that many letras bear ("Soleá") says as much less of each.
    """
    hits = [*index.by_title(recording.title), *index.by_first_line(recording.title)]
    found: dict[str, Evidence] = {}
    for one in (one for hit in hits for one in _of_a_hit(recording, index, hit)):
        if one.verse not in found or found[one.verse].title < one.title:
            found[one.verse] = one
    return found


def _of_a_hit(recording: Recording, index: VerseIndex, hit: TitleHit) -> Iterator[Evidence]:
    letras: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for verse, letra, position in hit.verses:
        letras[letra].append((verse, position))
    sources = {letra: _source(index, letra, places[0][0]) for letra, places in letras.items()}
    agreeing = _of_the_artist(recording, _of_the_palo(recording, sources))
    for letra, artist in agreeing.items():
        for verse, position in letras[letra]:
            yield Evidence(
                verse=verse,
                title=hit.agreement / len(agreeing),
                first_line=hit.first_line,
                artist=artist,
                letra=letra,
                position=position,
            )


def _source(index: VerseIndex, letra: str, verse: str) -> VerseSource:
    return next(one for one in index.verses[verse].sources if one.source == letra)


def _of_the_palo(recording: Recording, sources: dict[str, VerseSource]) -> dict[str, VerseSource]:
    """The letras of the recording's palo; all of them where none says that it is of it."""
    palo = fold(recording.palo)
    same = {letra: one for letra, one in sources.items() if palo and fold(one.palo) == palo}
    return same or sources


def _of_the_artist(
    recording: Recording, sources: dict[str, VerseSource]
) -> dict[str, float | None]:
    """The letras of the recording's artist, with the agreement; all of them where none is his."""
    agreement: dict[str, float | None] = {}
    for letra, source in sources.items():
        known = bool(fold(source.artist) and fold(recording.artist))
        ratio = fuzz.token_set_ratio(fold(source.artist), fold(recording.artist)) / 100
        agreement[letra] = ratio if known else None
    his = {letra: ratio for letra, ratio in agreement.items() if (ratio or 0) >= 0.8}
    return his or agreement
