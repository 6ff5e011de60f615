"""The columns of a release, and what is known of each utterance in them.

Reading and writing audio through `datasets` needs torchcodec and FFmpeg's shared
libraries; the struct of bytes and path that its Audio feature is made of does not.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rapidfuzz import fuzz, process

from corpus.media import SAMPLE_RATE
from corpus.publish.choose import rights_of_row
from corpus.records import (
    Description,
    Features,
    Kind,
    Recording,
    Utterance,
    Verse,
    content_id,
)
from corpus.redact import without_credentials
from corpus.spelling import fold_sound
from corpus.text import fold

__all__ = ["About", "copla_of", "features", "lines_of", "marks_of", "row", "standard"]

_FEWEST_WORDS = 4
"""Words of a line that tell of which copla it is."""

_SAME_LINE = 70.0
"""The likeness, of 100, from which a line that is sung is a line of the letra."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What rows are made of besides utterances.

    `coplas` are those of verses, and `lines` those of lines, as they sound, that are of one copla;
    `marks` are those of people, by recording and name; `features` what was measured;
    `codes` fingerprints; `quejio` the share of cries in what is sung of a recording; `people`
    the pseudonyms of who annotated an utterance; `culture` words of this culture, folded;
    `annotation_rights` those of people's work.
    """

    recordings: Mapping[str, Recording]
    verses: Mapping[str, Verse]
    coplas: Mapping[str, str] = field(default_factory=dict)
    marks: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    features: Mapping[str, Features] = field(default_factory=dict)
    lines: Mapping[str, str] = field(default_factory=dict)
    codes: Mapping[str, bytes] = field(default_factory=dict)
    quejio: Mapping[str, float] = field(default_factory=dict)
    people: Mapping[str, Sequence[str]] = field(default_factory=dict)
    culture: frozenset[str] = frozenset()
    annotation_rights: str = "unknown"


def features() -> Any:
    """The columns, as `datasets.Features`."""
    from datasets import Audio, Features, Value

    text, number, whole = Value("string"), Value("float64"), Value("int32")
    word = {"text": text, "start": number, "end": number, "score": number}
    mark = {"name": text, "points": whole, "by": text}
    named = ("palo", "estilo", "singer", "sex", "region", "title", "author", "album")
    return Features(
        {
            "id": text,
            "audio": Audio(sampling_rate=SAMPLE_RATE),
            "text": text,
            "text_standard": text,
            "kind": text,
            "start": number,
            "end": number,
            "duration": number,
            "words": [word],
            "recording": text,
            "master": text,
            "verse": text,
            "copla": text,
            **dict.fromkeys(named, text),
            "year": whole,
            "marks": [mark],
            "quejio_share": number,
            "culture_share": number,
            "probability": number,
            "tier": text,
            "annotators": [text],
            **dict.fromkeys(("rights_audio", "rights_text", "rights_annotation"), text),
            "source": text,
            "fingerprint": Value("binary"),
        }
    )


def row(utterance: Utterance, about: About, clip: bytes | None, suffix: str) -> dict[str, Any]:
    """One row; `clip` is the sound, None where none is given away.

    Times are seconds in the recording; those of words, in the clip.
    """
    recording = about.recordings[utterance.recording]
    verse = about.verses.get(utterance.verse)
    rights = rights_of_row(utterance, recording, verse, about.annotation_rights)
    words = fold(utterance.text).split()
    return {
        "id": utterance.id,
        "audio": clip and {"bytes": clip, "path": f"{utterance.id}.{suffix}"},
        "text": " ".join(utterance.text.split()),
        "text_standard": standard(utterance.text, verse),
        "kind": utterance.kind.value,
        "start": utterance.start,
        "end": utterance.end,
        "duration": utterance.duration,
        "words": _words(utterance),
        "recording": recording.id,
        "master": recording.master or recording.id,
        "verse": utterance.verse,
        "copla": copla_of(utterance, about),
        "palo": recording.palo,
        "estilo": dict(recording.extra).get("estilo", ""),
        "singer": recording.artist,
        "sex": recording.sex,
        "region": recording.region,
        "title": recording.title,
        "author": recording.author,
        "album": recording.album,
        "year": recording.year,
        "marks": _marks(recording.id, about),
        "quejio_share": about.quejio.get(recording.id),
        "culture_share": _share(words, about.culture),
        "probability": utterance.score,
        "tier": utterance.tier.value,
        "annotators": list(about.people.get(utterance.id, ())),
        "rights_audio": rights.audio,
        "rights_text": rights.text,
        "rights_annotation": rights.annotation,
        "source": without_credentials(recording.source) if "://" in recording.source else "",
        "fingerprint": about.codes.get(recording.id),
    }


def copla_of(utterance: Utterance, about: About) -> str:
    """The copla that is sung; "" where it is none, or too little to tell.

    That of its verse; of what people wrote where no verse was found, that of its lines, or one of
    its own, the same wherever the same is sung.
    """
    if utterance.verse or utterance.kind is not Kind.LETRA:
        return about.coplas.get(utterance.verse, utterance.verse)
    heard = map(fold_sound, utterance.text.splitlines())
    found = Counter(about.lines[line] for line in heard if line in about.lines)
    if found:
        return min(found, key=lambda copla: (-found[copla], copla))
    words = fold_sound(" ".join(utterance.text.split()))
    return content_id("verse", words) if len(words.split()) >= _FEWEST_WORDS else ""


def lines_of(verses: Iterable[Verse], coplas: Mapping[str, str]) -> dict[str, str]:
    """The copla of each line, as it sounds, that is of no other and not too short to tell."""
    found: dict[str, set[str]] = defaultdict(set)
    for verse in verses:
        for line in map(fold_sound, verse.lines):
            if len(line.split()) >= _FEWEST_WORDS:
                found[line].add(coplas.get(verse.id, verse.id))
    return {line: min(of) for line, of in found.items() if len(of) == 1}


def standard(text: str, verse: Verse | None) -> str:
    """The text as the letra spells it, line by line; "" where no letra is known.

    What is sung besides stays as it is sung.
    """
    if verse is None:
        return ""
    known = {line: fold_sound(line) for line in verse.lines}
    lines = []
    for line in text.splitlines():
        found = process.extractOne(
            fold_sound(line), known, scorer=fuzz.ratio, score_cutoff=_SAME_LINE
        )
        lines.append(found[2] if found else line)
    return " ".join(" ".join(lines).split())


def _words(utterance: Utterance) -> list[dict[str, Any]]:
    return [
        {
            "text": word.text,
            "start": word.start - utterance.start,
            "end": word.end - utterance.start,
            "score": word.score,
        }
        for word in utterance.words
    ]


def _marks(recording: str, about: About) -> list[dict[str, Any]]:
    """What people said; and of what nobody was asked, what the measures suggest."""
    said = about.marks.get(recording, {})
    measured = about.features.get(recording)
    suggested = {mark.name: mark.points for mark in measured.marks} if measured else {}
    return [
        {"name": name, "points": points, "by": "person" if name in said else "machine"}
        for name, points in sorted({**suggested, **said}.items())
    ]


def _share(words: Sequence[str], culture: frozenset[str]) -> float | None:
    """Of the words, those of the culture; None where there are none, or nobody named any."""
    if not words or not culture:
        return None
    return sum(word in culture for word in words) / len(words)


def marks_of(
    descriptions: Sequence[Description], names: Sequence[str]
) -> dict[str, dict[str, int]]:
    """The marks that people gave last, by recording and name."""
    found: dict[str, dict[str, int]] = {}
    for one in descriptions:
        for name, answer in one.answers:
            if name in names and answer.isdecimal():
                found.setdefault(one.recording, {})[name] = int(answer)
    return found
