from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from corpus.errors import MediaError, StoreError
from corpus.records import Draft
from corpus.rows import Done
from corpus.run import Failure, Item, Outcome, run_stage
from corpus.store import Store
from tests.corpus.made import recording

ROOT = Path(__file__).parent.parent.parent


def items(*names: str, inputs: str = "1") -> list[Item[str]]:
    return [Item(key=name, inputs=inputs, payload=name) for name in names]


def take(name: str) -> Outcome:
    if name.startswith("bad"):
        raise MediaError(f"{name} has no audio")
    return Outcome(records=(recording(name),), note="odd" if name == "odd" else "")


def marks(store: Store) -> dict[str, tuple[str, str]]:
    return {item: (done.state, done.note) for item, done in store.done("take").items()}


def test_a_failure_is_kept_and_the_run_goes_on(store: Store) -> None:
    told: list[Failure] = []
    summary = run_stage(store, "take", items("a", "bad", "odd"), take, on_failure=told.append)
    failure = Failure(item="bad", reason="bad has no audio")
    assert (summary.done, summary.failures, told) == (2, (failure,), [failure])
    assert summary.notes == (Failure(item="odd", reason="odd"),)
    assert not summary.ok
    assert marks(store) == {
        "a": ("done", ""),
        "bad": ("failed", "bad has no audio"),
        "odd": ("done", "odd"),
    }
    assert {r.title for r in store.recordings()} == {"a", "odd"}
    assert [done.item for done in store.funnel().failed] == ["bad"]


def test_the_second_time_only_what_failed_is_tried(store: Store) -> None:
    run_stage(store, "take", items("a", "bad", "odd"), take)
    tried: list[str] = []

    def now_well(name: str) -> Outcome:
        tried.append(name)
        return Outcome(records=(recording(name),))

    summary = run_stage(store, "take", items("a", "bad", "odd"), now_well)
    assert tried == ["bad"]
    assert (summary.done, summary.skipped, summary.ok) == (1, 2, True)
    assert store.funnel().failed == ()
    assert run_stage(store, "take", items("a", "bad", "odd"), now_well).skipped == 3
    assert tried == ["bad"]


def test_changed_inputs_are_done_again(store: Store) -> None:
    run_stage(store, "take", items("a", "b"), take)
    changed = [*items("a"), *items("b", inputs="2")]
    assert run_stage(store, "take", changed, take).done == 1
    assert run_stage(store, "other", items("a", "b"), take).done == 2


def test_parts_of_an_item_fail_and_are_cleared(store: Store) -> None:
    def in_parts(name: str) -> Outcome:
        return Outcome(
            records=(recording(name),), failures=(Failure(item=f"{name}:2", reason="broken"),)
        )

    summary = run_stage(store, "take", items("a", "a%"), in_parts)
    assert (summary.done, summary.ok) == (2, False)
    assert marks(store)["a:2"] == ("failed", "broken")
    assert run_stage(store, "take", items("a", "a%"), in_parts).skipped == 2
    assert run_stage(store, "take", items("a", inputs="2"), take).ok
    assert set(marks(store)) == {"a", "a%", "a%:2"}


def test_the_failure_of_a_whole_goes_when_its_parts_are_there(store: Store) -> None:
    run_stage(store, "take", items("bad.csv"), take)
    summary = run_stage(store, "take", items("bad.csv:2", "bad.csv:3"), lambda _: Outcome())
    assert summary.ok
    assert set(marks(store)) == {"bad.csv:2", "bad.csv:3"}
    run_stage(store, "take", items("bad.csv"), take)
    assert run_stage(store, "take", items("bad.csv:2", "bad.csv:3"), take).skipped == 2
    assert set(marks(store)) == {"bad.csv:2", "bad.csv:3"}


def broken(_: str) -> Outcome:
    raise KeyError("one\ntwo")


def test_the_unexpected_is_one_line(store: Store) -> None:
    (failure,) = run_stage(store, "take", items("a"), broken).failures
    assert failure.reason.startswith("unexpected KeyError: ")
    assert "--debug" in failure.reason
    assert "\n" not in failure.reason


def test_debug_raises_the_unexpected(store: Store) -> None:
    with pytest.raises(KeyError):
        run_stage(store, "take", items("a"), broken, debug=True)
    # What is raised on purpose is no reason to stop, not even then.
    assert run_stage(store, "take", items("bad"), take, debug=True).failures


def test_a_store_that_fails_ends_the_run(store: Store) -> None:
    def step(_: str) -> Outcome:
        raise StoreError("the disk is full")

    with pytest.raises(StoreError, match="the disk is full"):
        run_stage(store, "take", items("a", "b"), step)
    assert marks(store) == {}


def test_what_was_purged_meanwhile_leaves_nothing(store: Store) -> None:
    draft = Draft(recording=recording("b").id, model="base", segments=())
    records = (recording("a"), draft)  # of a recording that is not there any more
    ran = run_stage(store, "take", items("a", "c"), lambda _: Outcome(records=records))
    assert (ran.done, ran.passed_over, ran.ok) == (0, 2, True)
    assert {note.reason for note in ran.notes} == {"passed over: it was purged meanwhile"}
    assert marks(store) == {}
    assert store.recordings() == ()


def test_the_track_sees_what_is_pending(store: Store) -> None:
    seen: list[str] = []

    def track(pending: object) -> list[Item[str]]:
        assert isinstance(pending, list)
        seen.extend(item.key for item in pending)
        return pending

    run_stage(store, "take", items("a"), take, track=track)
    run_stage(store, "take", items("a", "b"), take, track=track)
    assert seen == ["a", "b"]


# ---- killed anywhere

RUN = """
import os, sys
from corpus.errors import MediaError
from corpus.run import Failure, Item, Outcome, run_stage
from corpus.store import Store
from tests.corpus.made import recording

url, killed_at, where = sys.argv[1], int(sys.argv[2]), sys.argv[3]

def die(*_):
    os.kill(os.getpid(), 9)

def step(n):
    if n == killed_at and where == "step":
        die()
    if n == 5:
        raise MediaError("never")
    parts = (Failure(item=f"item {n}:1", reason="part"),) if n == 3 else ()
    return Outcome(records=(recording(f"name {n}"),), failures=parts)

store = Store(url)
if where == "commit":
    from corpus.saving import Transaction
    mark = Transaction.mark
    Transaction.mark = lambda self, done: (
        mark(self, done), die() if done.item == f"item {killed_at}" else None
    )
run_stage(store, "take", [Item(key=f"item {n}", inputs="", payload=n) for n in range(8)], step)
"""


def run_in_process(url: str, killed_at: int = -1, where: str = "") -> int:
    command = [sys.executable, "-c", RUN, url, str(killed_at), where]
    return subprocess.run(command, cwd=ROOT, check=False, timeout=100).returncode


def state(url: str) -> tuple[object, object]:
    store = Store(url)
    done = [
        (d.item, d.state, d.note) for d in sorted(store.done("take").values(), key=lambda d: d.item)
    ]
    found = (store.recordings(), done)
    store.close()
    return found


def done_items(url: str) -> int:
    store = Store(url)
    n_done = sum(done.state == "done" for done in store.done("take").values())
    store.close()
    return n_done


def test_killed_and_run_again_ends_as_if_undisturbed(tmp_path: Path) -> None:
    undisturbed = f"sqlite:///{tmp_path / 'undisturbed.db'}"
    killed = f"sqlite:///{tmp_path / 'killed.db'}"
    assert run_in_process(undisturbed) == 0
    assert run_in_process(killed, 2, "step") == -signal.SIGKILL
    assert done_items(killed) == 2
    # Between what was saved and its commit: neither may be there.
    assert run_in_process(killed, 4, "commit") == -signal.SIGKILL
    assert done_items(killed) == 4
    assert run_in_process(killed) == 0
    assert state(killed) == state(undisturbed)


def test_a_mark_is_the_newest(store: Store) -> None:
    with store.transaction() as transaction:
        for state_ in ("failed", "done"):
            transaction.mark(
                Done(stage="s", item="i", inputs="", state=state_, note=state_, at="now")
            )
    assert store.done("s")["i"].state == "done"
