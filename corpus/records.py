"""The records that every stage takes and gives: frozen, checked when made, ids from content.

Times are seconds as float.  Ids are lower-case hex: a recording's is the SHA-256
of its bytes, a verse's the hash of its folded text, and so on; making a record
twice from the same content gives the same id.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import Enum

from corpus.text import fold

__all__ = [
    "PERSON",
    "UNKNOWN_RIGHTS",
    "Annotation",
    "Decision",
    "Description",
    "Draft",
    "Features",
    "Fingerprint",
    "Kind",
    "Mark",
    "Match",
    "MatchedVerse",
    "Recording",
    "Release",
    "ReleasedUtterance",
    "Segment",
    "Tier",
    "Tombstone",
    "Utterance",
    "Variant",
    "Verdict",
    "Verse",
    "VerseSource",
    "Word",
    "content_id",
    "hull",
    "names_audio",
]

UNKNOWN_RIGHTS = "unknown"
PERSON = "person"
"""Who decided, where a person did."""


class Kind(str, Enum):
    """What is heard in an utterance."""

    LETRA = "letra"
    QUEJIO = "quejío"
    JALEO = "jaleo"
    FALSETA = "falseta"  # the guitar alone
    NOTHING = "nothing"

    @property
    def sung(self) -> bool:
        """Whether anybody's voice is heard in it."""
        return self not in (Kind.FALSETA, Kind.NOTHING)


class Tier(str, Enum):
    """How far an utterance is to be trusted."""

    GOLD = "gold"  # a person has checked it
    SILVER = "silver"  # the aligner is sure
    BRONZE = "bronze"  # the aligner is not


class Decision(str, Enum):
    """What became of the search for the verses of a recording."""

    ACCEPTED = "accepted"
    REVIEW = "to review"
    NONE = "no match"


class Verdict(str, Enum):
    """What a person said of an utterance."""

    RIGHT = "right"
    CORRECTED = "corrected"
    REJECTED = "rejected"
    FLAGGED = "flagged"  # something is wrong, and was not put right
    SKIPPED = "skipped"
    DRAFT = "draft"  # begun, not handed in

    @property
    def decides(self) -> bool:
        """Whether it says anything of the utterance: one that was skipped is as it was."""
        return self not in (Verdict.SKIPPED, Verdict.DRAFT)


def content_id(*parts: str) -> str:
    """The first 32 hex digits of the SHA-256 of the parts, each ended by a NUL."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode("utf-8", "surrogatepass") + b"\0")
    return digest.hexdigest()[:32]


def names_audio(recording: str, suffix: str) -> bool:
    """Whether files of audio can be named by an id and a suffix: they lead out of no folder."""
    digits = len(recording) == 64 and set(recording) <= set("0123456789abcdef")
    return digits and re.fullmatch(r"(?:\.\w{1,8})?", suffix) is not None


def _check_span(start: float, end: float) -> None:
    if not (math.isfinite(start) and math.isfinite(end) and 0 <= start <= end):
        raise ValueError(f"times must be finite and ordered, not {start} to {end}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One piece of audio, named by the SHA-256 of its bytes (64 hex digits).

    A track of an LP side is `part_of` the recording of the side, from `offset` s on,
    and named by the hash of both.  Recordings with the same `master` are one performance.
    """

    id: str
    source: str
    duration: float
    suffix: str = ""
    title: str = ""
    artist: str = ""
    author: str = ""
    album: str = ""
    year: int | None = None
    palo: str = ""
    region: str = ""
    sex: str = ""
    rights: str = UNKNOWN_RIGHTS
    master: str = ""
    part_of: str = ""
    offset: float = 0.0
    extra: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if len(self.id) != 64 or not set(self.id) <= set("0123456789abcdef"):
            raise ValueError("a recording's id is the SHA-256 of its bytes, 64 hex digits")
        if not names_audio(self.id, self.suffix):
            raise ValueError(f"a recording's suffix is as in '.wav', not {self.suffix!r}")
        if not (math.isfinite(self.duration) and self.duration > 0):
            raise ValueError(f"a recording lasts some time, not {self.duration} s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A suggested mark of audio quality, 0 to 2 points off, and the measure behind it."""

    name: str
    points: int
    measure: str
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """What was measured of a recording as it came in."""

    recording: str
    measures: tuple[tuple[str, float], ...]
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """What tells the master of a recording; b"" where it is too short to tell."""

    recording: str
    codes: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstone:
    """A recording that was purged, and is not taken in again; `emptied` once its bytes are gone."""

    recording: str
    source: str
    suffix: str
    reason: str
    at: str  # ISO 8601, UTC
    emptied: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class VerseSource:
    """Where a verse was found: the letra, its place there, and the spelling found there."""

    source: str
    position: int
    lines: tuple[str, ...]
    title: str = ""
    artist: str = ""
    palo: str = ""
    rights: str = UNKNOWN_RIGHTS
    extra: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verse:
    """One copla: lines as first written, and every place where it was found."""

    lines: tuple[str, ...]
    sources: tuple[VerseSource, ...]

    def __post_init__(self) -> None:
        if not fold(" ".join(self.lines)):
            raise ValueError("a verse has at least one word")

    @property
    def id(self) -> str:
        """The hash of the folded text: the same copla in another spelling of case or accents."""
        return content_id("verse", fold(" ".join(self.lines)))

    @property
    def text(self) -> str:
        """The lines, one below the other."""
        return "\n".join(self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """Which copla a verse is, in its own words of detail.

    `copla` is the id of the verse that stands for all variants, its own where that is this one.
    """

    verse: str
    copla: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A stretch of a free transcript."""

    text: str
    start: float
    end: float

    def __post_init__(self) -> None:
        _check_span(self.start, self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a speech recogniser made of a recording, without knowing any letra."""

    recording: str
    model: str
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedVerse:
    """A verse that is sung in a recording; `start` and `end` are set where it was heard."""

    verse: str
    score: float
    reason: str
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The ordered verses of one recording, and who decided it.

    `unknown` are stretches in which something is sung that no verse explains, with what may
    be sung there.
    """

    recording: str
    verses: tuple[MatchedVerse, ...]
    decision: Decision
    decided_by: str = "machine"
    unknown: tuple[Segment, ...] = ()

    def __post_init__(self) -> None:
        if (self.decision is Decision.NONE) != (not self.verses):
            raise ValueError("a match has verses unless it is 'no match'")

    @property
    def id(self) -> str:
        """The hash of the recording and its verses."""
        return content_id("match", self.recording, *(v.verse for v in self.verses))


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One word as written, with its times in the recording and a score in 0..1."""

    text: str
    start: float
    end: float
    score: float = 1.0

    def __post_init__(self) -> None:
        _check_span(self.start, self.end)
        if not 0 <= self.score <= 1:
            raise ValueError(f"a score lies in 0..1, not {self.score}")


def _check_words(words: tuple[Word, ...], text: str) -> None:
    """Words are timed all or none."""
    if words and [word.text for word in words] != text.split():
        raise ValueError("the words of an utterance are the words of its text, in order")
    starts = [word.start for word in words]
    if starts != sorted(starts):
        raise ValueError("the words of an utterance begin in order")


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """A stretch of one recording, with its text (one line below the other) and words.

    `corrects` is the id of the utterance that a person corrected into this one:
    it goes on under that id.
    """

    recording: str
    start: float
    end: float
    text: str
    words: tuple[Word, ...] = ()
    verse: str = ""
    kind: Kind = Kind.LETRA
    score: float = 0.0
    tier: Tier = Tier.BRONZE
    corrects: str = ""

    def __post_init__(self) -> None:
        _check_span(self.start, self.end)
        if not 0 <= self.score <= 1:
            raise ValueError(f"a score lies in 0..1, not {self.score}")
        _check_words(self.words, self.text)

    @property
    def id(self) -> str:
        """The hash of the recording, the span in milliseconds and the text, as aligned."""
        if self.corrects:
            return self.corrects
        span = f"{round(self.start * 1000)}-{round(self.end * 1000)}"
        return content_id("utterance", self.recording, span, self.text)

    @property
    def duration(self) -> float:
        """Seconds from start to end."""
        return self.end - self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """What one person said of one utterance.  Never overwritten: a later one is another.

    `origin` is where it was said (a region on a server), `remark` what is said to be wrong
    where that was not put right.  Only drafts are replaced, by the next of the same origin.
    """

    utterance: str
    annotator: str
    made: str  # ISO 8601, UTC
    verdict: Verdict
    text: str
    start: float
    end: float
    kind: Kind = Kind.LETRA
    words: tuple[Word, ...] = ()
    seconds: float = 0.0
    remark: str = ""
    origin: str = ""

    def __post_init__(self) -> None:
        _check_span(self.start, self.end)
        _check_words(self.words, self.text)

    @property
    def id(self) -> str:
        """The hash of what was said, by whom and when."""
        return content_id("annotation", self.utterance, self.annotator, self.made, self.text)

    def applied_to(self, utterance: Utterance) -> Utterance:
        """The utterance as this person left it."""
        return replace(
            utterance,
            start=self.start,
            end=self.end,
            text=self.text,
            words=self.words,
            kind=self.kind,
            score=1.0,
            tier=Tier.GOLD,
            corrects=utterance.id,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What one person said of a recording as a whole, by the name of what was asked.

    Palo, sex, region; marks as "0" to "2"; words.  A later one of the same origin takes its place.
    """

    recording: str
    annotator: str
    made: str  # ISO 8601, UTC
    answers: tuple[tuple[str, str], ...]
    origin: str = ""

    @property
    def id(self) -> str:
        """The hash of who said it, of what and where."""
        return content_id("description", self.recording, self.annotator, self.origin)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedUtterance:
    """An utterance in a release, and the split it went to."""

    utterance: str
    split: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A frozen, named set of utterances."""

    name: str
    made: str  # ISO 8601, UTC
    utterances: tuple[ReleasedUtterance, ...] = field(default=())


def hull(words: Iterable[Word]) -> tuple[float, float]:
    """The earliest start and the latest end; ValueError where there are no words."""
    spans = [(w.start, w.end) for w in words]
    return min(s for s, _ in spans), max(e for _, e in spans)
