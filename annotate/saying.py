"""What one person says of one utterance in one task, and which verdict that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from annotate.captions import Captions, Said
from annotate.fields import MalformedError
from annotate.labels import Questions
from annotate.regions import TOLERANCE, Heard, Region, tidy
from corpus.records import Annotation, Kind, Utterance, Verdict, Word

__all__ = ["Saying", "Task", "check_text", "how_to_reject", "said_of", "spoken"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One task: where it was heard, and the utterances it was made of by region."""

    id: str
    name: str
    recording: str
    heard: Heard
    utterances: Mapping[str, Utterance]


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """Who said it, when, in how many seconds; `verdict` where it was not handed in."""

    annotator: str
    made: str
    seconds: float
    verdict: Verdict | None


def said_of(
    saying: Saying, task: Task, utterance: Utterance, told: Region | None, questions: Questions
) -> Annotation:
    """The annotation of an utterance, of which `told` is the region that was left; None: deleted.

    Raises MalformedError where the region says what cannot be.
    """
    if told is None:
        return spoken(saying, task, utterance, utterance, Verdict.REJECTED)
    region = _as_it_was(told, utterance)
    if saying.verdict is Verdict.DRAFT:
        return spoken(saying, task, utterance, region, Verdict.DRAFT)
    if _thrown_out(region, utterance):
        # What was thrown out is kept as it was.
        return spoken(saying, task, utterance, utterance, Verdict.REJECTED)
    verdict = _verdict(region, utterance)
    if verdict is Verdict.FLAGGED:
        said = spoken(saying, task, utterance, utterance, verdict)
        return replace(said, remark=region.said.value if region.said else "")
    check_text(region, utterance, questions.captions)
    return spoken(saying, task, utterance, region, verdict)


def _as_it_was(region: Region, utterance: Utterance) -> Region:
    """The region with the utterance's own times and text where they are the same to a person."""
    return replace(
        region,
        text=utterance.text if region.text == tidy(utterance.text) else region.text,
        start=_same(region.start, utterance.start),
        end=_same(region.end, utterance.end),
    )


def _same(time: float, own: float) -> float:
    return own if abs(time - own) <= TOLERANCE else time


def _thrown_out(region: Region, utterance: Utterance) -> bool:
    """Whether a person says that what was taken for singing is none."""
    if region.kind in (Kind.NOTHING, Kind.FALSETA):
        return utterance.kind.sung
    return region.said is Said.NOT_SUNG


def _verdict(region: Region, utterance: Utterance) -> Verdict:
    same_text = region.text == utterance.text
    same_times = (region.start, region.end) == (utterance.start, utterance.end)
    # A person who says that something is wrong and lets it stand has not made it right.
    wrong = {
        Said.TEXT_WRONG: same_text,
        Said.TIMES_WRONG: same_times,
        Said.OTHER_VERSE: same_text,
    }
    if region.said is not None and wrong.get(region.said, False):
        return Verdict.FLAGGED
    unchanged = same_text and same_times and region.kind is utterance.kind
    return Verdict.RIGHT if unchanged else Verdict.CORRECTED


def check_text(region: Region, utterance: Utterance | None, captions: Captions) -> None:
    """A letra has text, and so has what had some before; a jaleo or quejío may be without."""
    if region.text or not region.kind.sung:
        return
    if region.kind is Kind.LETRA or (utterance is not None and utterance.text):
        raise MalformedError(f"the region has no text; {how_to_reject(captions)}")


def how_to_reject(captions: Captions) -> str:
    """What a person does where a letra was thought to be and is not."""
    words = captions[Kind.NOTHING], captions[Said.NOT_SUNG]
    return "where nothing is sung, say '{}' or '{}'".format(*words)


def spoken(
    saying: Saying,
    task: Task,
    utterance: Utterance,
    left: Utterance | Region,
    verdict: Verdict,
) -> Annotation:
    """The annotation of an utterance that is left so."""
    return Annotation(
        utterance=utterance.id,
        annotator=saying.annotator,
        made=saying.made,
        verdict=verdict,
        text=left.text,
        start=left.start,
        end=left.end,
        kind=left.kind,
        words=_words(utterance, left),
        seconds=saying.seconds,
        origin=task.id,
    )


def _words(utterance: Utterance, left: Utterance | Region) -> tuple[Word, ...]:
    """The words with their times, where the same ones are still within the span; else none."""
    words = utterance.words
    same_words = left.text.split() == utterance.text.split()
    same_span = (left.start, left.end) == (utterance.start, utterance.end)
    inside = all(left.start <= word.start and word.end <= left.end for word in words)
    return words if same_words and (same_span or inside) else ()
