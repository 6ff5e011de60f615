from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.errors import ModelError
from corpus.match.chain import chain, explained
from corpus.match.draft import Drafting, DraftStage
from corpus.match.hearing import Place
from corpus.match.index import VerseIndex, title_forms
from corpus.match.score import CHANCE, SURE, DraftText, Evidence, gather
from corpus.match.stage import Matcher
from corpus.media import Samples, flac_bytes
from corpus.records import PERSON, Decision, Match, MatchedVerse, Recording, Segment, Verse
from corpus.run import Summary, Work, run_stage
from corpus.workspace import Workspace
from tests.corpus.made import recording, tone, verse

CINTA = recording("Tientos del Titi", artist="La Niña")


def draft(*texts: str, seconds: float = 10.0) -> DraftText:
    return DraftText(
        [
            Segment(text=text, start=i * seconds, end=(i + 1) * seconds)
            for i, text in enumerate(texts)
        ]
    )


def made_verses(number: int, seed: int = 1) -> list[Verse]:
    """Coplas of four lines of words that no language has."""
    chance = random.Random(seed)
    syllables = "ca mi no so le a ma re gi ta ni lu na quie ro pe mar tie rra flor que yo te di co"

    def line() -> str:
        return " ".join(
            "".join(chance.choices(syllables.split(), k=chance.randint(1, 3))) for _ in range(4)
        )

    return [
        verse(*(line() for _ in range(4)), source=f"letra {i // 4}", position=i % 4)
        for i in range(number)
    ]


def misheard(text: str, share: float, seed: int = 1) -> str:
    """The text with a share of its letters gone, doubled or another."""
    chance = random.Random(seed)
    out = []
    for char in text:
        if chance.random() >= share:
            out.append(char)
        else:
            out.append(chance.choice(["", char * 2, chance.choice("aeiosnrlt ")]))
    return "".join(out)


# ---- titles


@pytest.mark.parametrize(
    ("title", "forms"),
    [
        ("Soleá", ("solea",)),
        ("Soleá (1957)", ("solea 1957", "solea")),
        ("Camarón - Agua [1]", ("camaron agua 1", "camaron agua", "agua")),
        ("Tientos 1961", ("tientos 1961", "tientos")),
        ("(1957)", ("1957",)),
        ("", ()),
    ],
)
def test_title_forms(title: str, forms: tuple[str, ...]) -> None:
    assert title_forms(title) == forms


def by_title(of: Recording, verses: Iterable[Verse]) -> dict[str, Evidence]:
    return {one.letra: one for one in gather(of, draft(), VerseIndex(verses))}


def test_a_title_speaks_for_all_verses_of_its_letra() -> None:
    letra = [
        verse("uno dos", source="a", position=0, title="Tientos del Titi"),
        verse("tres cuatro", source="a", position=1, title="Tientos del Titi"),
        verse("cinco seis", source="b", position=0, title="Bulerías"),
    ]
    found = gather(CINTA, draft(), VerseIndex(letra))
    assert [(one.verse, one.title, one.position) for one in found] == [
        (letra[0].id, 1.0, 0),
        (letra[1].id, 1.0, 1),
    ]
    assert found[0].reason == "title 1.00, text 0.00"


def test_words_of_a_title_in_another_order() -> None:
    found = by_title(CINTA, [verse("ay", source="a", title="TITI, tientos del")])
    assert found["a"].title == pytest.approx(1.0)
    assert by_title(CINTA, [verse("ay", source="a", title="Tangos de Triana")]) == {}
    assert by_title(replace(CINTA, title=""), [verse("ay", source="a", title="")]) == {}


def test_a_title_of_many_letras_says_less_of_each() -> None:
    solea = replace(CINTA, title="Soleá", artist="")
    letras = [verse(f"ay {i}", source=f"letra {i}", title="Soleá") for i in range(10)]
    found = by_title(solea, letras)
    assert {round(one.score, 3) for one in found.values()} == {0.1}
    assert by_title(solea, letras[:1])["letra 0"].score == 1.0


def test_the_artist_decides_between_letras_of_one_title() -> None:
    letras = [
        verse(f"ay {i}", source=name, title="Tientos del Titi", artist=name)
        for i, name in enumerate(["Niña, La", "El Otro", "Otro Más"])
    ]
    found = by_title(CINTA, letras)
    assert list(found) == ["Niña, La"]
    assert found["Niña, La"].score == 1.0
    assert "artist 1.00" in found["Niña, La"].reason
    unknown = by_title(replace(CINTA, artist=""), letras)
    assert {one.artist for one in unknown.values()} == {None}
    assert len(unknown) == 3


def test_the_palo_decides_between_letras_of_one_title() -> None:
    letras = [
        verse(f"ay {i}", source=palo, title="Tientos del Titi", palo=palo)
        for i, palo in enumerate(["Tientos", "Bulerías", "tientos "])
    ]
    found = by_title(replace(CINTA, palo="tientos"), letras)
    assert sorted(found) == ["Tientos", "tientos "]
    # The artist is asked after the palo; a palo that no letra has decides nothing.
    assert len(by_title(replace(CINTA, palo="Zorongo"), letras)) == 3
    assert len(by_title(CINTA, letras)) == 3


def test_a_recording_named_after_a_first_line() -> None:
    verses = [
        verse("De una mina de La Unión", "ha salido un minero", source="a", title="Mineras"),
        verse("a la mina no voy más", "de una mina de la Unión", source="b"),
        *made_verses(200),
    ]
    mina = replace(CINTA, title="Camarón - De una mina de la union (1971)")
    [found] = gather(mina, draft(), VerseIndex(verses))
    assert (found.verse, found.title, found.score) == (verses[0].id, 1.0, 1.0)
    assert found.reason == "first line is the title 1.00, text 0.00"
    # Many letras that hold one verse do not make it less likely; short titles name no line.
    sources = [verse(*verses[0].lines, source=f"letra {i}").sources[0] for i in range(5)]
    again = replace(verses[0], sources=tuple(sources))
    [held] = gather(mina, draft(), VerseIndex([again]))
    assert held.title == 1.0
    assert gather(replace(CINTA, title="La mina"), draft(), VerseIndex([verse("la mina")])) == []


# ---- text


@pytest.mark.parametrize("share", [0.0, 0.1, 0.2])
def test_a_verse_is_found_among_2000_in_a_noisy_draft(share: float) -> None:
    verses = made_verses(2000)
    sung = [verses[i] for i in (700, 20, 1999)]
    heard = draft(*(misheard(one.text, share, seed=i) for i, one in enumerate(sung)))
    found = sorted(gather(CINTA, heard, VerseIndex(verses)), key=lambda one: -one.score)
    assert {one.verse for one in found[:3]} == {one.id for one in sung}
    assert found[2].score > found[3].score + 0.2
    match = chain(CINTA.id, explained(found, 0.4), accept=0.5, review=0.4)
    assert [one.verse for one in match.verses] == [one.id for one in sung]
    starts = [one.start for one in match.verses]
    assert starts == pytest.approx([0, 10, 20], abs=1.0)


def test_verses_that_are_not_sung_stay_at_chance() -> None:
    verses = made_verses(300)
    chance = random.Random(3)
    reached = []
    for one in verses[:100]:
        others = chance.sample(verses[100:], 12)
        heard = draft(*(other.text for other in others))
        (evidence,) = gather(CINTA, heard, VerseIndex([one])) or [Evidence(verse=one.id)]
        reached.append(evidence.score)
    assert np.percentile(reached, 90) < 0.1
    assert max(reached) < 0.5


def test_a_verse_longer_than_the_draft_says_nothing() -> None:
    index = VerseIndex([verse("por la calle abajo va la que yo quiero")])
    (found,) = gather(CINTA, draft("calle"), index)
    assert (found.text, found.start) == (0.0, None)


def test_title_and_text_together_say_more_than_each() -> None:
    title, text = Evidence(verse="v", title=0.5), Evidence(verse="v", text=0.65)
    both = Evidence(verse="v", title=0.5, text=0.65)
    assert both.score > max(title.score, text.score)
    assert Evidence(verse="v", text=CHANCE).score == 0.0
    assert Evidence(verse="v", text=SURE).score == pytest.approx(1.0)
    assert Evidence(verse="v", text=1.0).score == 1.0


UNIT = st.floats(0, 1)


@given(UNIT, UNIT)
def test_a_score_is_a_share(title: float, text: float) -> None:
    assert 0 <= Evidence(verse="v", title=title, text=text).score <= 1


@given(st.lists(st.text(max_size=20), max_size=5))
def test_times_of_any_draft_lie_in_it(texts: list[str]) -> None:
    heard = draft(*texts)
    times = [heard.time_at(i) for i in range(len(heard.text) + 1)] if heard.text else []
    assert times == sorted(times)
    assert all(0 <= time <= 10 * len(texts) for time in times)


# ---- the stage


class Listener:
    """Hears the same in every recording, and counts how often it listened."""

    def __init__(self, *texts: str, name: str = "made") -> None:
        self.name = name
        self.texts = texts
        self.listened = 0

    def transcribe(self, samples: Samples) -> tuple[Segment, ...]:
        assert samples.n_samples > 0
        self.listened += 1
        return tuple(
            Segment(text=text, start=float(i), end=i + 1.0) for i, text in enumerate(self.texts)
        )


def with_audio(workspace: Workspace, *recordings: Recording) -> None:
    for one in recordings:
        path = workspace.media.flac(one.id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(flac_bytes(tone(1.0)))
    save(workspace, *recordings)


def save(workspace: Workspace, *records: Recording | Verse | Match) -> None:
    with workspace.store.transaction() as transaction:
        transaction.save(records)


def match(workspace: Workspace, listener: Listener | None, *, again: bool = False) -> Summary:
    matcher = Matcher(workspace, listener)
    return run_stage(workspace.store, "match", matcher.items(again=again), matcher.match)


SUNG = ("Por la calle abajo", "va la que yo quiero", "como no le puedo hablar")
HEARD = "po la caye abajo ba la que yo quiero como no le puedo ablá"


def test_a_match_from_a_draft(workspace: Workspace) -> None:
    with_audio(workspace, CINTA)
    save(workspace, verse(*SUNG), *made_verses(50))
    listener = Listener("", HEARD)
    assert match(workspace, listener).ok
    (found,) = workspace.store.matches()
    assert found.decision is Decision.ACCEPTED
    assert found.decided_by == "machine"
    assert [one.verse for one in found.verses] == [verse(*SUNG).id]
    assert found.verses[0].start == pytest.approx(1.0, abs=0.1)
    drafted = workspace.store.draft(CINTA.id)
    assert drafted is not None
    assert [segment.text for segment in drafted.segments] == ["", HEARD]


def test_again_and_again(workspace: Workspace) -> None:
    other = recording("otra", artist="")
    with_audio(workspace, CINTA, other)
    save(workspace, *made_verses(5))
    listener = Listener(HEARD)
    assert match(workspace, listener).done == 2
    assert {found.decision for found in workspace.store.matches()} == {Decision.NONE}
    assert match(workspace, listener).skipped == 2
    # A new verse may be the one: the search is made anew, the draft is not.
    save(workspace, verse(*SUNG))
    assert match(workspace, listener).done == 2
    assert {found.decision for found in workspace.store.matches()} == {Decision.ACCEPTED}
    assert listener.listened == 2
    assert match(workspace, listener).done == 0
    assert match(workspace, listener, again=True).done == 2
    assert match(workspace, Listener("", name="better"), again=True).done == 2
    assert {found.decision for found in workspace.store.matches()} == {Decision.NONE}


def test_verses_that_come_and_go_while_they_are_searched(workspace: Workspace) -> None:
    with_audio(workspace, CINTA)
    save(workspace, verse(*SUNG, source="a"), *made_verses(50))
    searching = Matcher(workspace, Listener(HEARD))
    items = searching.items()
    # Another process purges a letra, adds one, and searches: the bank on disk is another.
    with workspace.store.transaction() as transaction:
        transaction.purge([], ["a"])
    save(workspace, verse("ay", "otra letra", source="b"))
    assert len(Matcher(workspace, None).index.verses) == 51
    assert run_stage(workspace.store, "match", items, searching.match).ok
    # What is no longer there is no match; the next run searches what is.
    assert workspace.store.matches() == ()
    save(workspace, verse(*SUNG, source="c"))
    assert match(workspace, Listener(HEARD)).done == 1
    assert workspace.store.matches()[0].decision is Decision.ACCEPTED


def test_a_side_is_matched_by_its_tracks(workspace: Workspace) -> None:
    track = replace(recording("Tientos"), part_of=CINTA.id, offset=3.0)
    with_audio(workspace, CINTA, track)
    save(workspace, verse(*SUNG))
    assert match(workspace, Listener(HEARD)).done == 1
    (found,) = workspace.store.matches()
    assert found.recording == track.id


def test_a_title_put_right_is_searched_anew(workspace: Workspace) -> None:
    with_audio(workspace, CINTA)
    save(workspace, verse(*SUNG, source="a", title="Garrotín"))
    assert match(workspace, None).done == 1
    assert workspace.store.matches()[0].decision is Decision.NONE
    save(workspace, replace(CINTA, title="El garrotín"))
    assert match(workspace, None).done == 1
    save(workspace, verse(*SUNG, source="b", title="El garrotín"))
    assert match(workspace, None).done == 1
    assert workspace.store.matches()[0].decision is Decision.ACCEPTED


def test_what_a_person_or_the_source_decided_stays(workspace: Workspace) -> None:
    other = recording("otra")
    with_audio(workspace, CINTA, other)
    save(workspace, verse(*SUNG))
    sung = MatchedVerse(verse=verse(*SUNG).id, score=1.0, reason="made")
    chosen = Match(recording=CINTA.id, verses=(sung,), decision=Decision.ACCEPTED)
    nothing = Match(recording=CINTA.id, verses=(), decision=Decision.NONE, decided_by=PERSON)
    by_source = replace(chosen, recording=other.id, decided_by="source")
    for by_person in (replace(chosen, decided_by=PERSON), nothing):
        save(workspace, by_person, by_source)
        assert match(workspace, Listener(""), again=True).done == 0
        assert set(workspace.store.matches()) == {by_person, by_source}


@pytest.mark.parametrize("texts", [(), ("", "¡…!")])
def test_an_empty_draft(workspace: Workspace, texts: Sequence[str]) -> None:
    with_audio(workspace, CINTA)
    save(workspace, verse(*SUNG))
    assert match(workspace, Listener(*texts)).ok
    assert workspace.store.matches()[0].decision is Decision.NONE


def test_no_verses_and_no_recordings(workspace: Workspace) -> None:
    assert match(workspace, Listener(HEARD)).done == 0
    with_audio(workspace, CINTA)
    assert match(workspace, Listener(HEARD)).ok
    assert workspace.store.matches()[0].decision is Decision.NONE


def test_audio_that_is_gone_fails_one_recording(workspace: Workspace) -> None:
    with_audio(workspace, CINTA)
    save(workspace, recording("gone"), verse(*SUNG))
    summary = match(workspace, Listener(HEARD))
    assert summary.done == 1
    assert "run `corpus verify --mend`" in summary.failures[0].reason


def test_a_listener_that_fails(workspace: Workspace) -> None:
    class Deaf(Listener):
        def transcribe(self, samples: Samples) -> tuple[Segment, ...]:
            raise ModelError(f"cannot hear {samples.n_samples} samples")

    with_audio(workspace, CINTA)
    summary = match(workspace, Deaf())
    assert "cannot hear 16000 samples" in summary.failures[0].reason
    assert workspace.store.matches() == ()


class Hearing:
    """Listens, and counts how often; what it hears fits no verse."""

    name = "ear"

    def __init__(self) -> None:
        self.listened = 0

    def listen(self, samples: Samples) -> Deaf:
        assert samples.n_samples > 0
        self.listened += 1
        return Deaf()


class Deaf:
    """Hears nothing."""

    def readings(self) -> list[tuple[str, ...]]:
        return []

    def letters(self, start: float, end: float) -> str:
        return f"{start}{end}"

    def sung(self) -> list[tuple[float, float]]:
        return []

    def places(self, verses: Sequence[Sequence[str]]) -> list[tuple[Place, ...]]:
        return [() for _ in verses]


def write_drafts(workspace: Workspace, writer: Listener, ear: Hearing) -> Summary:
    stage = DraftStage(workspace, writer.name, ear.name)
    step = Drafting(writer, ear, workspace.media)
    work = Work(ask=stage.ask, make=lambda: step)
    return run_stage(workspace.store, "draft", stage.items(), work)


def test_what_was_drafted_before_is_not_written_again(workspace: Workspace) -> None:
    with_audio(workspace, CINTA)
    save(workspace, verse(*SUNG))
    writer, ear = Listener(HEARD), Hearing()
    for done in (1, 0):
        ran = write_drafts(workspace, writer, ear)
        assert (ran.done, ran.ok) == (done, True)
    assert (writer.listened, ear.listened) == (1, 1)
    assert match(workspace, writer).done == 1
    assert writer.listened == 1
    assert write_drafts(workspace, Listener("otra cosa", name="better"), ear).done == 1
    drafted = workspace.store.draft(CINTA.id)
    assert drafted is not None
    assert [segment.text for segment in drafted.segments] == ["otra cosa"]


def test_a_draft_of_what_is_gone_fails_alone(workspace: Workspace) -> None:
    with_audio(workspace, CINTA)
    save(workspace, recording("gone"))
    ran = write_drafts(workspace, Listener(HEARD), Hearing())
    assert (ran.done, len(ran.failures)) == (1, 1)
    assert "run `corpus verify --mend`" in ran.failures[0].reason
