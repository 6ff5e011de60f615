"""Which utterances a release holds, and whether it may be given away."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from corpus.publish.rights import rights_of_text
from corpus.publish.splits import names_in
from corpus.records import Kind, Recording, Tier, Utterance, Verse
from corpus.text import fold

__all__ = [
    "Chosen",
    "Rights",
    "Wanted",
    "choose",
    "forbidden",
    "licensed",
    "public",
    "rights_of_row",
]

_RANK = {Tier.BRONZE: 0, Tier.SILVER: 1, Tier.GOLD: 2}

_PUBLIC = re.compile(r"public-domain|cc0|permission|cc-by(?:-nc)?(?:-sa)?(?:-\d\.\d)?")
"""Marks that let everybody have a part of it.  No -nd: a clip is made from the whole."""

_RESEARCH = "research-only"
"""The mark that lets those have it who ask, and whom somebody lets in."""

_CRY = re.compile(r"[aeiouyh ]+")

_PUBLIC_TEXT = frozenset({"traditional"})
"""What else a text may be: nobody's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What goes in; all where nothing is said.  Names are compared folded, years inclusive.

    `public` is what everybody may have, `gated` also what those may who ask for it.
    """

    min_tier: Tier = Tier.SILVER
    palos: tuple[str, ...] = ()
    singers: tuple[str, ...] = ()
    years: tuple[int, int] | None = None
    verified: bool = False
    public: bool = False
    gated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """The three rights of a row, each a mark of `corpus.rights`; "" where there is nothing."""

    audio: str
    text: str
    annotation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What goes into a release, in order of recording and time; what not, counted by reason."""

    utterances: tuple[Utterance, ...]
    left_out: tuple[tuple[str, int], ...]


def choose(
    utterances: Iterable[Utterance],
    recordings: Mapping[str, Recording],
    verses: Mapping[str, Verse],
    wanted: Wanted,
    annotation_rights: str,
    *,
    sound: bool = True,
) -> Chosen:
    """The utterances that are wanted and may go in; the first reason counts.

    Without `sound` none is given away, and what may be done with it does not count.
    """
    kept, out = [], Counter[str]()
    palos, singers = set(map(fold, wanted.palos)), set(map(fold, wanted.singers))
    for one in utterances:
        recording = recordings[one.recording]
        reason = _unwanted(one, recording, wanted, palos, singers)
        if not reason and (wanted.public or wanted.gated):
            rights = rights_of_row(one, recording, verses.get(one.verse), annotation_rights)
            reason = forbidden(rights, sound=sound, asked=wanted.gated)
        if reason:
            out[reason] += 1
        else:
            kept.append(one)
    kept.sort(key=lambda one: (one.recording, one.start, one.id))
    return Chosen(utterances=tuple(kept), left_out=tuple(sorted(out.items())))


def _unwanted(
    utterance: Utterance,
    recording: Recording,
    wanted: Wanted,
    palos: Collection[str],
    singers: AbstractSet[str],
) -> str:
    if _RANK[utterance.tier] < _RANK[wanted.min_tier]:
        return f"below {wanted.min_tier.value}"
    if wanted.verified and utterance.tier is not Tier.GOLD:
        return "not checked by a person"
    if palos and fold(recording.palo) not in palos:
        return "another palo"
    if singers and singers.isdisjoint((fold(recording.artist), *names_in(recording.artist))):
        return "another singer"
    first, last = wanted.years or (0, 9999)
    # A year that is not known is in no span of years.
    if wanted.years and not first <= (recording.year or -1) <= last:
        return "another year"
    return ""


def rights_of_row(
    utterance: Utterance, recording: Recording, verse: Verse | None, annotation: str
) -> Rights:
    """The rights of a row; a text that is no known verse has the rights nobody knows of."""
    nothing = not utterance.text.strip() or _is_cry(utterance)
    text = rights_of_text(verse) if verse else "" if nothing else "unknown"
    return Rights(audio=recording.rights, text=text, annotation=annotation)


def _is_cry(utterance: Utterance) -> bool:
    """Whether it is a quejío on "ay" or a vowel, which nobody has written."""
    return utterance.kind is Kind.QUEJIO and bool(_CRY.fullmatch(fold(utterance.text)))


def public(rights: Rights, *, sound: bool = True, asked: bool = False) -> bool:
    """Whether everybody may have a row; or, where `asked`, who asks for it and is let in."""
    return not forbidden(rights, sound=sound, asked=asked)


def forbidden(rights: Rights, *, sound: bool = True, asked: bool = False) -> str:
    """The first of the three rights that keeps a row from the public; "" where none does.

    Without `sound` that of the audio does not: nobody gets it.
    """
    if sound and not _free(rights.audio, asked=asked):
        return f"rights of the audio: {rights.audio or 'unknown'}"
    # One source that gives a text away is enough: it is the same text.
    marks = rights.text.split(" / ") if rights.text else []
    if marks and not any(_free(one, asked=asked) or one in _PUBLIC_TEXT for one in marks):
        return f"rights of the text: {rights.text}"
    if not _free(rights.annotation, asked=asked):
        return f"rights of the annotation: {rights.annotation or 'unknown'}"
    return ""


def licensed(rights: Rights, licence: str, *, sound: bool = True) -> bool:
    """Whether a licence of the whole lets nobody do with a row what its own rights do not.

    Conditions are compared where both are of Creative Commons; of other names they are not known.
    """
    if not public(rights, sound=sound):
        return False
    if not licence.startswith("cc"):
        return True
    marks = [rights.annotation, *[rights.audio] * sound]
    texts = rights.text.split(" / ")
    return all(_asks(mark) <= _asks(licence) for mark in marks) and any(
        _asks(mark) <= _asks(licence)
        for mark in texts
        if not mark or _free(mark, asked=False) or mark in _PUBLIC_TEXT
    )


def _asks(mark: str) -> set[str]:
    """What a licence of Creative Commons asks of who uses a part: by, nc, sa, nd."""
    return set(mark.split("-")) & {"by", "nc", "sa", "nd"} if mark.startswith("cc-") else set()


def _free(mark: str, *, asked: bool) -> bool:
    return bool(_PUBLIC.fullmatch(mark)) or (asked and mark == _RESEARCH)
