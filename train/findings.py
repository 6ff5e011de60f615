"""What an evaluation says: frozen records between the judging, the page and the machine's JSON."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Effect", "Finding", "Group", "Judged", "Rate", "Report", "Timing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A rate with its 95 % interval by bootstrap over recordings.

    `value` is None where nothing could be judged; `low` and `high` are None where fewer than two
    recordings leave nothing to draw from.  `n` counts the units of the reference (words,
    characters), `recordings` those drawn from.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    recordings: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One utterance: its row in the split, what it should be and what the model wrote.

    `reference` is "" where nothing is sung.  `errors` are word errors as sung, `words` the words
    of the reference.
    """

    row: int
    reference: str
    hypothesis: str
    id: str = ""
    recording: str = ""
    kind: str = ""
    palo: str = ""
    singer: str = ""
    seconds: float = 0.0
    words: int = 0
    errors: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Utterances that have something in common, and the word error rate (as sung) over them.

    `by` names the question ("palo", "singer", "sex", "region", "decade", "mark: noise",
    "quejío share", "culture share", "kind", "tier"), `value` the answer ("bulería", "1950s", "2",
    "0.25-0.5").
    """

    by: str
    value: str
    utterances: int
    wer: Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """How much word error rate goes with one mark or share, all others held still.

    `points` is the change of WER (0.10: ten errors in a hundred words more) from the mark's
    lowest to its highest value, with its 95 % interval.
    """

    name: str
    points: float
    low: float
    high: float
    utterances: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How far segments of long-form writing lie from the utterances they answer, in seconds."""

    recordings: int
    segments: int
    onset_median: float
    offset_median: float
    onset_within: float
    """The share of onsets within 0.5 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """How one model did on one split.

    `as_sung`, `folded`, `content` are word error rates over three readings of the text,
    `characters` the character error rate as sung.  `quejio_missed` is the share of the words of
    quejíos that were left out; `invented_words` were written over `silent` clips without words.
    `change` is the WER against the first model's, drawn over the same recordings.
    `long_form` and `timing` are None where whole recordings were not written.
    `agreement` is the difference of the other backend's WER on a sample, in points of a hundred.
    `seconds` are those of all `workers` together, `busy` the share of their time that they worked
    (None: one process did it all).
    """

    model: str
    as_sung: Rate
    folded: Rate
    content: Rate
    characters: Rate
    substitutions: int
    deletions: int
    insertions: int
    utterances: tuple[Judged, ...]
    quejio_missed: Rate = Rate()
    silent: int = 0
    invented_words: int = 0
    change: Rate | None = None
    groups: tuple[Group, ...] = ()
    effects: tuple[Effect, ...] = ()
    long_form: Rate | None = None
    timing: Timing | None = None
    backend: str = "transformers"
    beam: int = 1
    agreement: float | None = None
    left_out: tuple[tuple[str, int], ...] = ()
    seconds: float = 0.0
    audio_seconds: float = 0.0
    workers: int = 1
    busy: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Models side by side on one split of one release; `notes` say what a reader must know."""

    release: str
    split: str
    language: str
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
