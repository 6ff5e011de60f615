from __future__ import annotations

import unicodedata
from dataclasses import FrozenInstanceError
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus import records
from corpus.records import (
    Annotation,
    Decision,
    Kind,
    Match,
    MatchedVerse,
    Recording,
    Segment,
    Tier,
    Utterance,
    Verdict,
    Verse,
    Word,
    content_id,
    hull,
)
from corpus.text import fold
from tests.corpus.made import recording, utterance, verse

SPANISH = st.text(alphabet="abcdefghijlmnñopqrstuvyzáéíóúü ", min_size=1).filter(str.strip)


def bare(text: str) -> str:
    """Spanish without accents, ñ kept: a second way to say what `fold` does to letters."""
    return " ".join(text.translate(str.maketrans("áéíóúü", "aeiouu")).split())


@given(SPANISH)
def test_a_verse_keeps_its_id_in_another_spelling(text: str) -> None:
    id_ = verse(text).id
    assert verse(text.upper()).id == id_
    assert verse(unicodedata.normalize("NFD", text)).id == id_
    assert verse(bare(text)).id == id_
    assert verse(f"¡{text}!,").id == id_


@given(SPANISH, SPANISH)
def test_verses_of_different_words_have_different_ids(one: str, other: str) -> None:
    assert (verse(one).id == verse(other).id) == (bare(one) == bare(other))


def test_the_lines_of_a_verse_are_kept_as_written() -> None:
    made = verse("Ay, qué  pena", "¡DE MÍ!")
    assert made.lines == ("Ay, qué  pena", "¡DE MÍ!")
    assert made.text == "Ay, qué  pena\n¡DE MÍ!"


@given(st.lists(st.text()), st.lists(st.text()))
def test_content_ids_differ_with_the_parts(one: list[str], other: list[str]) -> None:
    plain = [[part.replace("\0", "") for part in parts] for parts in (one, other)]
    assert (content_id(*plain[0]) == content_id(*plain[1])) == (plain[0] == plain[1])
    assert len(content_id(*one)) == 32


@given(st.text())
def test_an_utterance_holds_the_words_of_its_text(text: str) -> None:
    made = utterance(recording("a"), text, 2.0)
    assert [word.text for word in made.words] == text.split()
    assert made.duration == pytest.approx(1.0)
    assert made.id == utterance(recording("a"), text, 2.0).id
    assert made.id != utterance(recording("b"), text, 2.0).id
    assert made.id != utterance(recording("a"), text, 2.1).id


ID = "0" * 64
WORD = Word(text="ay", start=1.0, end=2.0)


@pytest.mark.parametrize(
    ("kind", "fields", "says"),
    [
        (Recording, {"id": "abc", "source": "", "duration": 1.0}, "SHA-256"),
        (Recording, {"id": "Z" * 64, "source": "", "duration": 1.0}, "SHA-256"),
        (Recording, {"id": ID, "source": "", "duration": 0.0}, "lasts some time"),
        (Recording, {"id": ID, "source": "", "duration": float("nan")}, "lasts some time"),
        (Recording, {"id": ID, "source": "", "duration": float("inf")}, "lasts some time"),
        (Verse, {"lines": (), "sources": ()}, "at least one word"),
        (Verse, {"lines": ("—", "..."), "sources": ()}, "at least one word"),
        (Segment, {"text": "", "start": 2.0, "end": 1.0}, "ordered"),
        (Segment, {"text": "", "start": -1.0, "end": 1.0}, "ordered"),
        (Word, {"text": "ay", "start": 0.0, "end": float("nan")}, "finite"),
        (Word, {"text": "ay", "start": 0.0, "end": 1.0, "score": 1.1}, r"0\.\.1"),
        (Match, {"recording": ID, "verses": (), "decision": Decision.ACCEPTED}, "no match"),
        (
            Match,
            {
                "recording": ID,
                "verses": (MatchedVerse(verse="v", score=1.0, reason=""),),
                "decision": Decision.NONE,
            },
            "no match",
        ),
        (Utterance, {"recording": ID, "start": 2.0, "end": 1.0, "text": ""}, "ordered"),
        (Utterance, {"recording": ID, "start": 0, "end": 1, "text": "", "score": 2.0}, r"0\.\.1"),
        (
            Utterance,
            {"recording": ID, "start": 0, "end": 3, "text": "ay ay", "words": (WORD,)},
            "words of its text",
        ),
        (
            Utterance,
            {
                "recording": ID,
                "start": 0,
                "end": 3,
                "text": "ay ay",
                "words": (WORD, Word(text="ay", start=0.5, end=1.0)),
            },
            "begin in order",
        ),
        (
            Annotation,
            {
                "utterance": ID,
                "annotator": "ana",
                "made": "",
                "verdict": Verdict.CORRECTED,
                "text": "ay pena",
                "start": 0,
                "end": 3,
                "words": (WORD,),
            },
            "words of its text",
        ),
    ],
)
def test_what_cannot_be_is_refused(kind: type[Any], fields: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        kind(**fields)


def test_records_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        WORD.text = "no"  # type: ignore[misc]  # that is the point


def test_an_annotation_makes_gold() -> None:
    before = utterance(recording("a"), "ay pena", 1.0)
    said = Annotation(
        utterance=before.id,
        annotator="ana",
        made="2026-01-01T00:00:00+00:00",
        verdict=Verdict.CORRECTED,
        text="ay",
        start=1.5,
        end=2.0,
        kind=Kind.QUEJIO,
        words=(Word(text="ay", start=1.5, end=2.0),),
    )
    after = said.applied_to(before)
    assert (after.text, after.start, after.end) == ("ay", 1.5, 2.0)
    assert (after.kind, after.tier, after.score) == (Kind.QUEJIO, Tier.GOLD, 1.0)
    assert after.recording == before.recording
    assert after.id == before.id


def test_hull() -> None:
    later = Word(text="pena", start=1.5, end=4.0)
    assert hull([later, WORD]) == (1.0, 4.0)
    with pytest.raises(ValueError, match="empty"):
        hull([])


def test_everything_public_is_exported() -> None:
    public = {
        name
        for name, value in vars(records).items()
        if getattr(value, "__module__", "") == records.__name__ and not name.startswith("_")
    }
    assert public | {"PERSON", "UNKNOWN_RIGHTS"} == set(records.__all__)


@given(SPANISH)
def test_bare_agrees_with_fold(text: str) -> None:
    assert fold(text) == bare(text)
