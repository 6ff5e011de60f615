"""What goes into a release, and what keeps a row from the public."""

from __future__ import annotations

from dataclasses import replace

import pytest

from corpus.publish.choose import Rights, Wanted, choose, public, rights_of_row
from corpus.records import Kind, Recording, Tier, Utterance
from tests.corpus.made import recording, utterance, verse

UNO = recording("uno", artist="La Niña", palo="tonás", rights="cc-by-4.0")
UNO = replace(UNO, year=1957)
DOS = recording("dos", artist="Paco", palo="bulerías", rights="unknown")
COPLA = verse("por la calle abajo", rights="traditional")
FREE = "cc-by-4.0"
EVERYTHING = Wanted(min_tier=Tier.BRONZE)


def sung(of: Recording, at: float, tier: Tier = Tier.SILVER) -> Utterance:
    return replace(utterance(of, "por la calle abajo", at), verse=COPLA.id, tier=tier)


MINE = [sung(DOS, 1), sung(UNO, 4), sung(UNO, 1, Tier.GOLD), sung(UNO, 7, Tier.BRONZE)]


def chosen(wanted: Wanted, annotation: str = FREE) -> tuple[list[Utterance], dict[str, int]]:
    recordings = {one.id: one for one in (UNO, DOS)}
    found = choose(MINE, recordings, {COPLA.id: COPLA}, wanted, annotation)
    return list(found.utterances), dict(found.left_out)


def test_everything_comes_in_the_order_of_recording_and_time() -> None:
    kept, out = chosen(EVERYTHING)
    assert kept == sorted(MINE, key=lambda one: (one.recording, one.start))
    assert out == {}


@pytest.mark.parametrize(
    ("wanted", "n_kept", "out"),
    [
        (Wanted(), 3, {"below silver": 1}),
        (Wanted(min_tier=Tier.GOLD), 1, {"below gold": 3}),
        (replace(EVERYTHING, verified=True), 1, {"not checked by a person": 3}),
        (replace(EVERYTHING, palos=("TONAS", "x")), 3, {"another palo": 1}),
        (replace(EVERYTHING, singers=("LA NIÑA",)), 3, {"another singer": 1}),
        (replace(EVERYTHING, singers=("el otro", "paco")), 1, {"another singer": 3}),
        (replace(EVERYTHING, years=(1957, 1960)), 3, {"another year": 1}),
        (replace(EVERYTHING, years=(1958, 1960)), 0, {"another year": 4}),
        (replace(EVERYTHING, public=True), 3, {"rights of the audio: unknown": 1}),
        (Wanted(public=True), 2, {"rights of the audio: unknown": 1, "below silver": 1}),
    ],
)
def test_what_is_wanted(wanted: Wanted, n_kept: int, out: dict[str, int]) -> None:
    kept, told = chosen(wanted)
    assert (len(kept), told) == (n_kept, out)


def test_annotations_have_rights_of_their_own() -> None:
    kept, out = chosen(replace(EVERYTHING, public=True), annotation="unknown")
    assert kept == []
    assert out["rights of the annotation: unknown"] == 3


@pytest.mark.parametrize(
    ("audio", "text", "annotation", "free"),
    [
        ("cc0", "traditional", "cc-by-4.0", True),
        ("public-domain", "", "cc0", True),
        ("permission", "cc-by-nc-sa-4.0", "cc-by", True),
        ("cc-by-nc", "unknown / traditional", "cc0", True),
        ("cc-by-nd", "traditional", "cc0", False),
        ("cc-by-nc-nd-4.0", "traditional", "cc0", False),
        ("research-only", "traditional", "cc0", False),
        ("unknown", "traditional", "cc0", False),
        ("", "traditional", "cc0", False),
        ("ask Paco", "traditional", "cc0", False),
        ("permission of nobody", "traditional", "cc0", False),
        ("cc0", "credited", "cc0", False),
        ("cc0", "unknown", "cc0", False),
        ("traditional", "traditional", "cc0", False),
        ("cc0", "traditional", "", False),
    ],
)
def test_what_everybody_may_have(audio: str, text: str, annotation: str, free: bool) -> None:
    assert public(Rights(audio=audio, text=text, annotation=annotation)) is free


def test_sound_that_is_not_given_away_keeps_no_row_back() -> None:
    recordings = {one.id: one for one in (UNO, DOS)}
    wanted, verses = replace(EVERYTHING, public=True), {COPLA.id: COPLA}
    found = choose(MINE, recordings, verses, wanted, FREE, sound=False)
    assert (len(found.utterances), found.left_out) == (4, ())
    closed = {COPLA.id: verse("por la calle abajo", rights="credited")}
    found = choose(MINE, recordings, closed, wanted, FREE, sound=False)
    assert found.left_out == (("rights of the text: credited", 4),)


@pytest.mark.parametrize("part", ["audio", "text", "annotation"])
def test_research_only_is_for_who_asks(part: str) -> None:
    rights = replace(Rights(audio="cc0", text="cc0", annotation="cc0"), **{part: "research-only"})
    assert not public(rights)
    assert public(rights, asked=True)
    assert not public(replace(rights, **{part: "unknown"}), asked=True)
    assert not public(replace(rights, **{part: "cc-by-nd"}), asked=True)


def test_what_goes_in_for_who_asks() -> None:
    asked = replace(DOS, rights="research-only")
    wanted = replace(EVERYTHING, gated=True)
    found = choose(MINE, {UNO.id: UNO, DOS.id: asked}, {COPLA.id: COPLA}, wanted, FREE)
    assert (len(found.utterances), found.left_out) == (4, ())
    _, out = chosen(wanted)
    assert out == {"rights of the audio: unknown": 1}


def test_a_text_that_is_no_known_verse_is_not_given_away() -> None:
    free = replace(UNO, rights="cc0")
    assert rights_of_row(MINE[1], free, COPLA, FREE).text == "traditional"
    assert rights_of_row(replace(MINE[1], verse=""), free, None, FREE).text == "unknown"
    silent = replace(MINE[1], verse="", text="", words=())
    assert public(rights_of_row(silent, free, None, FREE))


@pytest.mark.parametrize(
    ("text", "kind", "free"),
    [
        ("Ay", Kind.QUEJIO, True),
        ("ay, ayay... ¡eh!", Kind.QUEJIO, True),
        ("ay mare mía", Kind.QUEJIO, False),
        ("ay", Kind.LETRA, False),
        ("ole", Kind.JALEO, False),
    ],
)
def test_a_cry_is_no_text_that_somebody_wrote(text: str, kind: Kind, free: bool) -> None:
    one = replace(MINE[1], verse="", text=text, words=(), kind=kind)
    rights = rights_of_row(one, replace(UNO, rights="cc0"), None, FREE)
    assert rights.text == ("" if free else "unknown")
    assert public(rights) is free


def test_who_sings_with_others_is_one_of_them() -> None:
    both = replace(DOS, artist="La Niña y Paco")
    wanted = replace(EVERYTHING, singers=("paco",))
    found = choose(MINE, {UNO.id: UNO, DOS.id: both}, {COPLA.id: COPLA}, wanted, FREE)
    assert [one.recording for one in found.utterances] == [DOS.id]
