"""What people decide of matches: by hand, and by key in a terminal."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.match.review import Line, heard_between, side_by_side
from corpus.records import PERSON, Decision, Draft, Match, MatchedVerse, Recording, Segment
from corpus.workspace import Workspace
from tests.conftest import Cli
from tests.corpus.made import recording, verse

A = verse("por la calle abajo", "va la que yo quiero", source="a")
B = verse("una fuente de plata", "donde lavan las gitanas", source="b")
C = verse("no hay quien me consuele", "ni de noche ni de día", source="c")


def shown(line: Line) -> str:
    return " ".join(word.text if word.shared else f"*{word.text}*" for word in line)


# ---- side by side


def test_a_verse_beside_what_was_heard() -> None:
    found = side_by_side(A.lines, "Gracias po la caye al trabajo ba la que te quiero mucho")
    assert [(shown(left), shown(right)) for left, right in found] == [
        ("por la calle *abajo*", "*Gracias* po la caye *al* *trabajo*"),
        ("va la que *yo* quiero", "ba la que *te* quiero *mucho*"),
    ]


@given(
    st.lists(st.text("ab ", min_size=1), min_size=1, max_size=4),
    st.text("ab ", max_size=20),
)
def test_no_word_is_lost(lines: list[str], heard: str) -> None:
    found = side_by_side(lines, heard)
    assert len(found) == len(lines)
    assert [w.text for left, _ in found for w in left] == " ".join(lines).split()
    assert [w.text for _, right in found for w in right] == heard.split()
    assert sum(w.shared for left, _ in found for w in left) == sum(
        w.shared for _, right in found for w in right
    )


def test_what_was_heard_between() -> None:
    segments = [Segment(text=str(k), start=10.0 * k, end=10.0 * k + 8) for k in range(5)]
    assert heard_between(segments, 12, 25) == "1 2"
    assert heard_between(segments, 100, 120) == ""


# ---- by hand


@pytest.fixture
def tape(workspace: Workspace) -> Recording:
    one = recording("Tientos")
    with workspace.store.transaction() as transaction:
        transaction.save([one, A, B, C])
    return one


def test_a_match_set_by_hand(cli: Cli, workspace: Workspace, tape: Recording) -> None:
    assert cli("match-set", tape.id[:8], A.id[:10], B.id, A.id[:10]).code == 0
    (match,) = workspace.store.matches()
    assert [one.verse for one in match.verses] == [A.id, B.id, A.id]
    assert (match.decision, match.decided_by) == (Decision.ACCEPTED, PERSON)
    assert cli("match", "--no-draft", "--no-sound", "--again").code == 0
    assert workspace.store.matches() == (match,)
    assert cli("match-set", tape.id[:8], "--nothing").code == 0
    (match,) = workspace.store.matches()
    assert (match.decision, match.verses) == (Decision.NONE, ())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "name the verses that are sung"),
        ([A.id, "--nothing"], "name the verses that are sung"),
        (["ffff"], "no verse begin"),
        ([""], "3 verses begin"),
    ],
)
def test_what_cannot_be_set(
    cli: Cli, workspace: Workspace, tape: Recording, arguments: list[str], told: str
) -> None:
    ran = cli("match-set", tape.id[:8], *arguments)
    assert ran.code == 2
    assert told in ran.err
    assert workspace.store.matches() == ()


# ---- by key


def doubtful(of: Recording, *verses: str) -> Match:
    chosen = tuple(
        MatchedVerse(verse=id_, score=0.6, reason="made", start=10.0 * k, end=10.0 * k + 8)
        for k, id_ in enumerate(verses)
    )
    return Match(recording=of.id, verses=chosen, decision=Decision.REVIEW)


def reviewed(workspace: Workspace, *keys: str, waits_for: str = "accept") -> str:
    """What a person sees who presses these keys, one answer after the other, in a terminal."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "corpus", "-w", str(workspace.root), "matches", "--review"]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    seen = ""
    answers = list(keys)
    until = time.monotonic() + 30
    while time.monotonic() < until:
        ready, _, _ = select.select([ours], [], [], 0.4)
        if ready:
            with contextlib.suppress(OSError):
                seen += os.read(ours, 65536).decode("utf-8", "replace")
                continue
            break
        if answers and waits_for in seen:
            os.write(ours, answers.pop(0).encode())
    assert process.wait(10) == 0
    os.close(ours)
    return seen


def test_verses_are_decided_by_key(workspace: Workspace, tape: Recording) -> None:
    heard = Segment(text="po la caye al trabajo", start=0.0, end=8.0)
    with workspace.store.transaction() as transaction:
        transaction.save([doubtful(tape, A.id, B.id)])
        transaction.save([Draft(recording=tape.id, model="base", segments=(heard,))])
    seen = reviewed(workspace, "x", "a", "r")
    (match,) = workspace.store.matches()
    assert [one.verse for one in match.verses] == [A.id]
    assert (match.decision, match.decided_by) == (Decision.ACCEPTED, PERSON)
    assert "1 of 1: Tientos" in seen
    assert "trabajo" in seen
    assert "review: 1 of 1 decided" in seen


def test_another_verse_is_picked_by_its_words(workspace: Workspace, tape: Recording) -> None:
    with workspace.store.transaction() as transaction:
        transaction.save([doubtful(tape, A.id, B.id)])
    seen = reviewed(workspace, "p", "quien me consuele\n", "1", "p", "xyzxyz\n")
    (match,) = workspace.store.matches()
    assert [one.verse for one in match.verses] == [C.id]
    assert "no verse has such words" in seen


def test_what_no_verse_explains_is_written_down_as_new(
    workspace: Workspace, tape: Recording
) -> None:
    heard = Segment(text="dos caminos tengo", start=20.0, end=40.0)
    sure = replace(doubtful(tape, A.id), decision=Decision.ACCEPTED, unknown=(heard,))
    with workspace.store.transaction() as transaction:
        transaction.save([sure])
    seen = reviewed(
        workspace, "n", "Dos caminos tengo / y no sé por cuál ir\n", waits_for="leave it"
    )
    assert "dos caminos tengo" in seen
    (match,) = workspace.store.matches()
    lines = {one.id: one.lines for one in workspace.store.verses()}
    assert [lines[one.verse] for one in match.verses] == [
        A.lines,
        ("Dos caminos tengo", "y no sé por cuál ir"),
    ]
    assert (match.decision, match.decided_by) == (Decision.ACCEPTED, PERSON)


def test_what_is_unknown_may_be_left(workspace: Workspace, tape: Recording) -> None:
    heard = Segment(text="dos caminos tengo", start=20.0, end=40.0)
    nothing = Match(recording=tape.id, verses=(), decision=Decision.NONE, unknown=(heard,))
    with workspace.store.transaction() as transaction:
        transaction.save([nothing])
    reviewed(workspace, "x", waits_for="leave it")
    assert len(workspace.store.verses()) == 3
    (match,) = workspace.store.matches()
    assert (match.decision, match.decided_by) == (Decision.NONE, PERSON)


def test_what_is_skipped_or_left_waits(workspace: Workspace, tape: Recording) -> None:
    other = recording("Bulerías")
    waiting = [doubtful(tape, A.id), doubtful(other, B.id)]
    with workspace.store.transaction() as transaction:
        transaction.save([other, *waiting])
    seen = reviewed(workspace, "s", "q")
    assert "review: 0 of 2 decided" in seen
    assert set(workspace.store.matches()) == set(waiting)


def test_rejecting_all_is_no_match_and_what_people_decided_is_not_asked(
    workspace: Workspace, tape: Recording
) -> None:
    other = recording("Bulerías")
    mine = replace(doubtful(other, B.id), decided_by=PERSON)
    with workspace.store.transaction() as transaction:
        transaction.save([other, doubtful(tape, A.id), mine])
    assert "1 of 1: Tientos" in reviewed(workspace, "r")
    decided = {one.recording: one for one in workspace.store.matches()}
    assert decided[tape.id].decision is Decision.NONE
    assert decided[other.id] == mine


def test_without_a_terminal_it_says_so(cli: Cli, tape: Recording) -> None:
    assert tape.title
    ran = cli("matches", "--review")
    assert ran.code == 2
    assert "corpus match-set" in ran.err
