"""What is saved and what is found, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from corpus.errors import PurgedError, StoreError
from corpus.records import PERSON, Decision, Match, Recording, Tier, Verdict
from corpus.rows import AlignedRecording, Done, Record
from corpus.run import Item, Outcome, Summary, run_stage
from corpus.saving import Transaction
from corpus.store import Store
from tests.corpus.made import recording, utterance, verse
from tests.corpus.stored import (
    ALIGNED,
    CINTA,
    COPLA,
    DRAFT,
    EVERYTHING,
    FIRST,
    MATCH,
    RELEASE,
    SAID,
    SECOND,
    dump,
    said,
    save,
)
from tests.servers.postgres import Postgres

_AT = re.compile(r"\d{4}-\d\d-\d\dT[\d:]+\+00:00")
"""When something was done."""


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path / 'corpus.db'}"
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres_server")
        url = server.new_database()
    made = Store(url)
    yield made
    made.close()


# ---- what is saved is there, once


def test_records_come_back(store: Store) -> None:
    save(store, *EVERYTHING)
    assert store.recordings() == (CINTA,)
    assert store.recording(CINTA.id) == CINTA
    assert store.recording("0" * 64) is None
    assert store.verses() == (COPLA,)
    assert store.draft(CINTA.id) == DRAFT
    assert store.draft("0" * 64) is None
    assert store.matches() == (MATCH,)
    assert store.releases() == (RELEASE,)
    assert store.utterances() == (SAID.applied_to(FIRST), SECOND)
    assert store.utterances(CINTA.id) == store.utterances()
    assert store.utterances("0" * 64) == ()


def test_saving_twice_is_saving_once(store: Store) -> None:
    save(store, *EVERYTHING)
    once = dump(store)
    save(store, *EVERYTHING)
    save(store, *EVERYTHING, *EVERYTHING)
    assert dump(store) == once


def interrupted(saved: Iterable[Record]) -> Iterator[Record]:
    yield from saved
    raise ZeroDivisionError


def test_an_error_leaves_nothing(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.transaction() as transaction:
        transaction.save(interrupted(EVERYTHING))
    assert not any(dump(store).values())


def test_what_refers_to_nothing_is_refused_whole(store: Store) -> None:
    with pytest.raises(PurgedError, match="purged meanwhile"):
        save(store, COPLA, MATCH)
    assert store.verses() == ()


def test_the_first_spelling_of_a_verse_stands(store: Store) -> None:
    other = verse("por la calle ABAJO", "va la que yo quiero", source="otra", position=3)
    save(store, COPLA, other)
    save(store, replace(other, sources=(replace(other.sources[0], title="Tangos"),)))
    (found,) = store.verses()
    assert found.lines == COPLA.lines
    assert [(s.source, s.lines[0], s.title) for s in found.sources] == [
        ("letra", "Por la calle abajo", "Tientos"),
        ("otra", "por la calle ABAJO", "Tangos"),
    ]


def test_more_verses_than_one_statement_takes(store: Store) -> None:
    many = [verse(f"verso {i}", source=f"letra {i % 7}", position=i) for i in range(1000)]
    save(store, *many, *many)
    assert {v.id for v in store.verses()} == {v.id for v in many}


# ---- who speaks


def test_a_person_is_not_overwritten_by_the_machine(store: Store) -> None:
    theirs = replace(MATCH, decided_by=PERSON)
    machine = Match(recording=CINTA.id, verses=(), decision=Decision.NONE)
    save(store, CINTA, COPLA, machine)
    save(store, theirs)
    save(store, machine)
    assert store.matches() == (theirs,)
    save(store, replace(machine, decided_by=PERSON))
    assert store.matches()[0].decision is Decision.NONE


def test_the_newest_annotation_speaks(store: Store) -> None:
    early = said(FIRST, "2026-01-01T09:00:00+00:00", text="uno")
    late = said(FIRST, "2026-01-01T10:00:00+00:00", text="dos")
    save(store, CINTA, ALIGNED, late, early)
    spoken = store.utterances()[0]
    assert (spoken.text, spoken.tier) == ("dos", Tier.GOLD)
    assert dump(store)["annotations"] != []


def test_a_rejected_utterance_is_out(store: Store) -> None:
    out = said(FIRST, "2026-01-01T09:00:00+00:00", verdict=Verdict.REJECTED)
    save(store, CINTA, ALIGNED, out)
    assert store.utterances() == (SECOND,)
    save(store, said(FIRST, "2026-01-01T09:00:01+00:00", text="sí"))
    assert [u.text for u in store.utterances()] == ["sí", SECOND.text]


def test_utterances_without_their_words_are_the_same_otherwise(store: Store) -> None:
    save(store, *EVERYTHING)
    corrected = SAID.applied_to(FIRST)
    assert corrected.words
    assert SECOND.words
    bare = (replace(corrected, words=()), replace(SECOND, words=()))
    assert store.utterances(words=False) == bare
    assert store.utterances(CINTA.id, words=False) == bare
    assert [one.id for one in bare] == [FIRST.id, SECOND.id]


def test_a_new_alignment_takes_the_place_of_the_old(store: Store) -> None:
    save(store, CINTA, ALIGNED)
    moved = replace(SECOND, start=3.1)
    save(store, AlignedRecording(recording=CINTA.id, utterances=(moved,)))
    assert store.utterances() == (moved,)
    save(store, AlignedRecording(recording=CINTA.id, utterances=()))
    assert store.utterances() == ()
    assert dump(store)["utterances"] == []


def test_what_a_person_said_stands_beside_no_alignment(store: Store) -> None:
    save(store, CINTA, ALIGNED, SAID)
    near = utterance(CINTA, "po la caye abajo", FIRST.start + 0.1)
    after = utterance(CINTA, "va la que yo quería", FIRST.end)
    save(store, AlignedRecording(recording=CINTA.id, utterances=(near, after)))
    assert store.utterances() == (SAID.applied_to(FIRST), after)
    again = dump(store)
    save(store, AlignedRecording(recording=CINTA.id, utterances=(near, after)))
    assert dump(store) == again


def test_what_a_person_rejected_may_be_aligned_anew(store: Store) -> None:
    out = said(FIRST, "2026-01-01T09:00:00+00:00", verdict=Verdict.REJECTED)
    save(store, CINTA, ALIGNED, out)
    better = utterance(CINTA, "por la calle", FIRST.start)
    save(store, AlignedRecording(recording=CINTA.id, utterances=(FIRST, better)))
    assert store.utterances() == (better,)


def test_what_a_release_names_is_kept_out_of_sight(store: Store) -> None:
    save(store, CINTA, ALIGNED, RELEASE)
    moved = replace(FIRST, start=0.9)
    save(store, AlignedRecording(recording=CINTA.id, utterances=(moved,)))
    assert store.utterances() == (moved,)
    assert store.releases() == (RELEASE,)
    assert (store.funnel().utterances, store.funnel().published) == (1, 1)
    save(store, ALIGNED)  # as it was: nothing is retired any more
    assert store.utterances() == (FIRST, SECOND)


# ---- the funnel


def test_an_empty_funnel(store: Store) -> None:
    funnel = store.funnel()
    assert (funnel.recordings, funnel.hours, funnel.verses, funnel.failed) == (0, 0, 0, ())


def test_the_funnel_counts(store: Store) -> None:
    other = recording("otra")
    review = replace(MATCH, recording=other.id, decision=Decision.REVIEW)
    save(store, *EVERYTHING, other, review)
    failed = Done(stage="align", item="x", inputs="", state="failed", note="no", at="")
    with store.transaction() as transaction:
        transaction.mark(failed)
        transaction.mark(replace(failed, item="y", state="done"))
    funnel = store.funnel()
    assert (funnel.recordings, funnel.verses, funnel.matched, funnel.to_review) == (2, 1, 1, 1)
    assert funnel.hours == pytest.approx(20 / 3600)
    assert (funnel.aligned, funnel.utterances, funnel.corrected, funnel.published) == (1, 2, 1, 1)
    assert funnel.failed == (failed,)


# ---- listing


def test_utterances_come_one_by_one_as_they_come_together(store: Store) -> None:
    """More than are fetched at a time, of which people threw out some."""
    tape = recording("larga")
    many = tuple(utterance(tape, f"verso {i}", 2.0 * i) for i in range(950))
    rejected = many[::7]
    save(store, tape, AlignedRecording(recording=tape.id, utterances=many))
    made = "2026-01-01T00:00:00+00:00"
    save(store, *(said(one, made, verdict=Verdict.REJECTED) for one in rejected))
    expected = tuple(one for i, one in enumerate(many) if i % 7)
    assert store.utterances() == expected
    assert tuple(islice(store.each_utterance(), 3)) == expected[:3]
    # Left half read, it holds nobody up.
    save(store, CINTA, ALIGNED)
    assert set(store.utterances(CINTA.id)) == {FIRST, SECOND}


def test_recordings_by_how_their_id_begins(store: Store) -> None:
    others: list[Recording] = [recording(f"cinta {i}") for i in range(30)]
    save(store, CINTA, *others)
    assert store.recordings_of(CINTA.id[:20]) == (CINTA,)
    assert set(store.recordings_of("")) == {CINTA, *others}
    assert store.recordings_of("_") == store.recordings_of("%") == ()


# ---- a server that is restarted


def a_run(store: Store, at: int = -1, disturb: Callable[[], None] = lambda: None) -> Summary:
    """Eight recordings taken in; before one of them lands, something happens."""
    tapes = [recording(f"cinta {i}") for i in range(8)]
    items = [Item(key=tape.id, inputs="", payload=(i, tape)) for i, tape in enumerate(tapes)]

    def step(given: tuple[int, Recording]) -> Outcome:
        i, tape = given
        if i == at:
            disturb()
        return Outcome(records=(tape,))

    return run_stage(store, "collect", items, step)


def rows(store: Store) -> dict[str, list[str]]:
    """What is there but for when it came."""
    return {name: [_AT.sub("", row) for row in found] for name, found in dump(store).items()}


def test_a_server_restarted_between_two_items_is_not_noticed(postgres_server: Postgres) -> None:
    undisturbed, disturbed = (Store(postgres_server.new_database()) for _ in range(2))
    a_run(undisturbed)
    assert a_run(disturbed, 3, postgres_server.restart).done == 8
    assert rows(disturbed) == rows(undisturbed)
    undisturbed.close()
    disturbed.close()


def test_a_server_restarted_while_something_lands(
    postgres_server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run ends in one line, and the same command carries on to the same end."""
    undisturbed, disturbed = (Store(postgres_server.new_database()) for _ in range(2))
    a_run(undisturbed)
    mark = Transaction.mark

    def restarted(self: Transaction, done: Done) -> None:
        if done.item == recording("cinta 3").id:
            postgres_server.restart()
        mark(self, done)

    with monkeypatch.context() as patch:
        patch.setattr(Transaction, "mark", restarted)
        with pytest.raises(StoreError, match="cannot be used"):
            a_run(disturbed)
    assert len(disturbed.recordings()) == 3
    summary = a_run(disturbed)
    assert (summary.done, summary.skipped) == (5, 3)
    assert rows(disturbed) == rows(undisturbed)
    undisturbed.close()
    disturbed.close()
