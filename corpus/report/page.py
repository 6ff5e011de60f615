"""The report as one page in one file: nothing is loaded from anywhere."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpus.errors import MediaError
from corpus.media import SAMPLE_RATE, Media, compact, flac_bytes
from corpus.pages import page
from corpus.publish.choose import public, rights_of_row
from corpus.records import Kind, Recording, Utterance, Verse
from corpus.report.facts import Facts
from corpus.store import Funnel

__all__ = ["Sample", "render", "samples"]

_LONGEST = 8.0
"""Seconds of a sample: enough to hear what it is."""

_EACH = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """An utterance to listen to; `sound` is an MP3, b"" where it is missing."""

    why: str
    title: str
    text: str
    probability: float
    tier: str
    sound: bytes
    free: bool


def samples(
    media: Media,
    recordings: Mapping[str, Recording],
    verses: Mapping[str, Verse],
    utterances: Sequence[Utterance],
    annotation_rights: str,
) -> Iterator[Sample]:
    """The surest, the most doubtful and some cries, of a recording each."""
    sung = [one for one in utterances if one.kind is Kind.LETRA and one.text.strip()]
    by_score = sorted(sung, key=lambda one: (one.score, one.id))
    cries = sorted((u for u in utterances if u.kind is Kind.QUEJIO), key=lambda one: one.id)
    taken: set[str] = set()
    for why, found in (
        ("surest", by_score[::-1]),
        ("most doubtful", by_score),
        ("quejío", cries),
    ):
        for one in _of_many(found, taken):
            recording = recordings[one.recording]
            rights = rights_of_row(one, recording, verses.get(one.verse), annotation_rights)
            yield Sample(
                why=why,
                title=" · ".join(filter(None, (recording.title, recording.artist, recording.palo))),
                text=one.text,
                probability=one.score,
                tier=one.tier.value,
                sound=_sound(media, one),
                free=public(rights),
            )


def _of_many(found: Sequence[Utterance], taken: set[str]) -> list[Utterance]:
    """The first few, no two of one recording and none that was taken before."""
    kept: list[Utterance] = []
    for one in found:
        if one.id not in taken and one.recording not in {other.recording for other in kept}:
            kept.append(one)
            taken.add(one.id)
        if len(kept) == _EACH:
            break
    return kept


def _sound(media: Media, one: Utterance) -> bytes:
    """A few seconds of it; nothing where the audio is missing, which is no reason for no report."""
    first, n_samples = round(one.start * SAMPLE_RATE), round(min(one.duration, _LONGEST) * 16_000)
    try:
        with tempfile.TemporaryDirectory(prefix="cante-") as folder:
            clip = Path(folder) / "clip.flac"
            clip.write_bytes(flac_bytes(media.samples(one.recording).read(first, n_samples)))
            return compact(clip)
    except MediaError:
        return b""


def render(
    name: str,
    language: str,
    made: str,
    *,
    funnel: Funnel,
    facts: Facts,
    people: Sequence[Mapping[str, Any]],
    heard: Sequence[Sample],
) -> str:
    """The page; `people` is the work of each, by a pseudonym, `language` that of the letras."""
    return page(
        "corpus.report",
        written_in="en",
        title=f"{name}: report",
        media="data:",
        filters={"hours": _hours, "percent": lambda share: f"{100 * share:.0f} %"},
        name=name,
        language=language,
        made=made,
        funnel=funnel,
        steps=_steps(funnel),
        facts=facts,
        people=people,
        heard=[(one, _source(one.sound)) for one in heard],
        all_free=bool(heard) and all(one.free for one in heard),
        widest={group: _widest(facts, group) for group in facts.groups},
        n_judged=sum(one.judged for one in facts.calibration),
    )


def _steps(funnel: Funnel) -> list[tuple[str, int, float]]:
    """Recordings and utterances by how far they have come, with their share of the first."""
    of_recordings = (
        ("recordings", funnel.recordings),
        ("with a match", funnel.matched),
        ("aligned", funnel.aligned),
    )
    of_utterances = (
        ("utterances", funnel.utterances),
        ("checked by people", funnel.corrected),
        ("published", funnel.published),
    )
    return [
        (name, count, count / max(1, found[0][1]))
        for found in (of_recordings, of_utterances)
        for name, count in found
    ]


def _widest(facts: Facts, group: str) -> float:
    return max((max(one.recorded, one.cut) for one in facts.groups[group]), default=0.0) or 1.0


def _source(sound: bytes) -> str:
    return f"data:audio/mpeg;base64,{base64.b64encode(sound).decode()}" if sound else ""


def _hours(hours: float) -> str:
    return f"{hours:.2f}" if hours < 10 else f"{hours:.0f}"
