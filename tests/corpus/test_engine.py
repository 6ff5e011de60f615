"""Steps in other processes: the same store as without, whatever is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from corpus.engine import Engine, Here, Make, Processes, as_ended, in_order
from corpus.errors import LostError, MissingExtraError, ModelError
from corpus.run import Item, Outcome, Summary, Work, run_stage
from corpus.store import Store
from corpus.synth.make import make_cantes
from tests.conftest import Cli
from tests.corpus import steps
from tests.corpus.cantes import matched_corpus
from tests.corpus.stored import dump

ROOT = Path(__file__).parent.parent.parent
NAMES = ("a", "bad", "noted", "odd", *(f"name {n}" for n in range(12)))
TWO = Processes(n_workers=2)


def itself(name: str) -> str:
    return name


def take(
    store: Store, make: Make[str, Outcome], engine: Engine | None, names: tuple[str, ...] = NAMES
) -> Summary:
    items = [Item(key=name, inputs="1", payload=name) for name in names]
    return run_stage(store, "take", items, Work(ask=itself, make=make), engine=engine)


def kept(store: Store) -> dict[str, list[str]]:
    """Every row of every table, but for the times in the marks."""
    rows = dump(store)
    marks = sorted((d.item, d.state, d.note, d.inputs) for d in store.done("take").values())
    return {**rows, "progress": list(map(repr, marks))}


@pytest.fixture
def another(tmp_path: Path) -> Iterator[Store]:
    made = Store(f"sqlite:///{tmp_path / 'another.db'}")
    yield made
    made.close()


def test_processes_keep_what_one_process_keeps_whatever_is_killed(
    store: Store, another: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    check_the_same_is_kept(TWO, store, another, tmp_path)
    # What kills every worker is given up after the third; two were lost by what is done then.
    assert capsys.readouterr().err.count("a worker was lost") == 2 + 2


def check_the_same_is_kept(engine: Engine, store: Store, another: Store, folder: Path) -> None:
    """By two workers as by one process, although some are killed."""
    make = partial(steps.taking, folder)
    plain = take(store, make, None)
    assert (plain.done, len(plain.failures), plain.busy) == (14, 2, None)
    for name in ("a", "name 5"):
        (folder / f"kill {name}").touch()
    summary = take(another, make, engine, (*NAMES[:6], "poison", *NAMES[6:]))
    assert not list(folder.glob("kill *"))
    (poison,) = set(summary.failures) - set(plain.failures)
    assert poison.item == "poison"
    assert poison.reason.startswith("3 workers died at it")
    assert (summary.done, len(summary.failures), summary.workers) == (14, 3, 2)
    assert summary.busy is not None
    assert 0 < summary.busy < 1
    with another.transaction() as transaction:
        transaction.forget("take", "poison")
    assert kept(another) == kept(store)


@pytest.mark.long
def test_the_aligner_places_the_same_words_in_processes(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    # More threads may add up in another order.
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    cantes = list(make_cantes(2, seed=5, verses=1, band=False))
    found = []
    for name, options in {"here": (), "processes": ("--processes", "2")}.items():
        workspace = matched_corpus(tmp_path / name, cantes)
        ran = cli("-w", workspace.root, "align", *options)
        assert ran.code == 0, ran.err
        assert ("2 done, 2 workers busy" in ran.err) == bool(options)
        found.append(workspace.store.utterances())
        workspace.store.close()
    assert len({one.verse for one in found[0]} - {""}) == 2
    assert found[0] == found[1]


def test_options_that_contradict_each_other_are_told(cli: Cli) -> None:
    for options in (("--devices", "0", "--device", "cpu"), ("--devices", "0", "--ray", "local")):
        ran = cli("align", *options)
        assert ran.code == 2
        assert "--devices is for processes of this machine" in ran.err


def test_a_model_that_cannot_be_loaded_ends_the_run(store: Store) -> None:
    with pytest.raises(ModelError, match="the model is damaged"):
        take(store, steps.no_model, TWO)
    assert not store.done("take")


def test_nothing_is_loaded_where_nothing_is_pending(store: Store, tmp_path: Path) -> None:
    take(store, partial(steps.taking, tmp_path), None, ("a",))
    assert take(store, steps.no_model, TWO, ("a",)).skipped == 1


def test_each_process_sees_its_own_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    engine = Processes(n_workers=2, devices=("3", "GPU-x"), n_threads=7)
    with engine.crew(steps.environment) as crew:
        names = ["CUDA_VISIBLE_DEVICES"] * 8
        seen = {given.result() for ended in as_ended(crew, names) for _, given in ended}
        assert crew.submit("OMP_NUM_THREADS").result() == "7"
    assert seen <= {"3", "GPU-x"}
    assert [engine._environment(place)["CUDA_VISIBLE_DEVICES"] for place in (0, 1, 2)] == [
        *("3", "GPU-x", "3")
    ]


def test_no_more_is_asked_than_can_be_done_soon() -> None:
    asked = 0

    def payloads() -> Iterator[int]:
        nonlocal asked
        for n in range(1, 101):
            asked = n
            yield n

    def double() -> Callable[[int], int]:
        return lambda n: 2 * n

    for n_workers, most in ((1, 1), (3, 6)):
        with Here(n_workers=n_workers).crew(double) as crew:
            n_there = 0
            for ended in as_ended(crew, payloads()):
                assert asked - n_there <= most
                n_there += len(ended)
                assert all(given.result() == 2 * n for n, given in ended)
            assert n_there == 100
            assert list(in_order(crew, payloads())) == list(range(2, 202, 2))


def test_what_ended_meanwhile_lands_together(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[float] = []
    transaction = Store.transaction

    def counted(self: Store) -> object:
        begun.append(time.monotonic())
        time.sleep(0.2)  # a slow disk: the next results wait meanwhile
        return transaction(self)

    monkeypatch.setattr(Store, "transaction", counted)
    names = tuple(f"name {n}" for n in range(20))
    threads = Here(n_workers=2)
    assert take(store, partial(steps.slow, tmp_path, 0.05), threads, names).done == 20
    assert len(begun) < 15


def test_errors_of_workers_come_back_as_they_are() -> None:
    def fail() -> Callable[[str], str]:
        raise MissingExtraError("align", "torch")

    with pytest.raises(MissingExtraError), Here().crew(fail):
        pass
    again = MissingExtraError("align", "torch").__reduce__()
    assert str(again[0](*again[1])) == str(MissingExtraError("align", "torch"))
    assert issubclass(LostError, Exception)


# ---- the one that was started is killed, or interrupted

RUN = """
import sys
from functools import partial
from pathlib import Path
from corpus.cli import app
from corpus.engine import Processes
from corpus.store import Store
from corpus.synth.make import make_cantes
from tests.conftest import Cli
from tests.corpus import steps
from tests.corpus.cantes import matched_corpus
from tests.corpus.test_engine import take

if __name__ == "__main__":
    url, folder = sys.argv[1], Path(sys.argv[2])
    take(Store(url), partial(steps.slow, folder, 0.2), Processes(n_workers=2))
"""


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def started(url: str, folder: Path) -> subprocess.Popen[bytes]:
    """The run, some way in."""
    script = folder / "run.py"
    script.write_text(RUN, "utf-8")
    run = subprocess.Popen(
        [sys.executable, str(script), url, str(folder)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    store = Store(url)
    until = time.monotonic() + 60
    while len(store.done("take")) < 3 and time.monotonic() < until:
        time.sleep(0.05)
    store.close()
    return run


def workers_end(folder: Path) -> bool:
    pids = [int(path.name.split()[1]) for path in folder.glob("worker *")]
    until = time.monotonic() + 20
    while any(map(alive, pids)) and time.monotonic() < until:
        time.sleep(0.05)
    return bool(pids) and not any(map(alive, pids))


def test_killed_and_run_again_ends_as_if_undisturbed(store: Store, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'killed.db'}"
    run = started(url, tmp_path)
    run.kill()
    run.communicate()
    assert workers_end(tmp_path)
    killed = Store(url)
    assert 3 <= len(killed.done("take")) < len(NAMES)
    take(killed, partial(steps.taking, tmp_path), TWO)
    take(store, partial(steps.taking, tmp_path), None)
    assert kept(killed) == kept(store)
    killed.close()


def test_an_interrupted_run_ends_at_once_and_its_workers_too(tmp_path: Path) -> None:
    run = started(f"sqlite:///{tmp_path / 'interrupted.db'}", tmp_path)
    os.killpg(run.pid, signal.SIGINT)  # as a terminal does: all of them get it
    _, told = run.communicate(timeout=20)
    assert run.returncode != 0
    assert told.count(b"KeyboardInterrupt") == 1
    assert workers_end(tmp_path)
