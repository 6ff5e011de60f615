"""Steps on a Ray cluster of several nodes on this machine: the same store, whatever is killed."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from corpus.engine_ray import Ray, library
from corpus.errors import EngineError, ModelError
from corpus.store import Store
from corpus.synth.make import make_cantes
from tests.conftest import Cli
from tests.corpus import steps
from tests.corpus.cantes import matched_corpus
from tests.corpus.test_engine import another, check_the_same_is_kept, kept, take

__all__ = ["another"]

# A node that is gone is given up after 5 s, not after half a minute.
_QUICK = {
    "health_check_initial_delay_ms": 1000,
    "health_check_period_ms": 1000,
    "health_check_timeout_ms": 2000,
    "health_check_failure_threshold": 3,
}


def test_a_cluster_that_is_not_there_is_told_of_at_once(store: Store) -> None:
    # Before this process is part of another one.
    with pytest.raises(EngineError, match=r"no Ray cluster can be used at '127\.0\.0\.1:1'"):
        take(store, steps.no_model, Ray(address="127.0.0.1:1"))


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """One with a node of two processors."""
    ray = library()
    from ray.cluster_utils import Cluster

    made = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 2, "include_dashboard": False, "_system_config": _QUICK},
    )
    yield made
    ray.shutdown()
    made.shutdown()  # type: ignore[no-untyped-call]  # it has no types


def test_ray_keeps_what_one_process_keeps_whatever_is_killed(
    cluster: Any, store: Store, another: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    check_the_same_is_kept(Ray(address=cluster.address), store, another, tmp_path)
    assert capsys.readouterr().err.count("a worker was lost") == 2 + 2


def test_its_workers_are_of_the_environment_that_was_started(cluster: Any) -> None:
    # Under `uv run`, as the tests are run by `make test`, Ray would make another one.
    with Ray(address=cluster.address, n_workers=1).crew(steps.prefix) as crew:
        assert crew.submit("").result() == sys.prefix


def test_a_model_that_cannot_be_loaded_there_ends_the_run(cluster: Any, store: Store) -> None:
    with pytest.raises(ModelError, match=r"^the model is damaged: fetch it again$"):
        take(store, steps.no_model, Ray(address=cluster.address, n_workers=1))


def test_a_gpu_that_no_machine_has_is_told_of(cluster: Any, store: Store) -> None:
    with pytest.raises(EngineError, match="has no GPU"):
        take(store, steps.no_model, Ray(address=cluster.address, device="cuda"))


@pytest.mark.long
def test_every_engine_writes_and_aligns_the_same(
    cluster: Any, tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    # More threads may add up in another order.
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    cantes = list(make_cantes(3, seed=5, verses=1, band=False))
    found = []
    for name, options in {
        "here": (),
        "processes": ("--processes", "2", "--batch-size", "2"),
        "ray": ("--processes", "2", "--ray", cluster.address),
    }.items():
        workspace = matched_corpus(tmp_path / name, cantes)
        for verb in ("draft", "align"):
            ran = cli("-w", workspace.root, verb, *options)
            assert ran.code == 0, ran.err
            assert ("2 workers busy" in ran.err) == bool(options)
        store = workspace.store
        drafts = [store.draft(recording.id) for recording in store.recordings()]
        found.append((drafts, store.utterances()))
        store.close()
    (drafts, utterances), *others = found
    assert all(drafts)
    assert len({one.verse for one in utterances} - {""}) == 3
    assert others == [(drafts, utterances)] * 2


def test_what_a_lost_machine_had_is_done_anew(
    cluster: Any, store: Store, another: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = tuple(f"name {n}" for n in range(16))
    take(store, partial(steps.taking, tmp_path), None, names)
    node = cluster.add_node(num_cpus=2)
    cluster.wait_for_nodes()

    def unplug() -> None:
        while len(list(tmp_path.glob("worker *"))) < 1 + 4 or len(another.done("take")) < 4:
            time.sleep(0.1)
        cluster.remove_node(node, allow_graceful=False)

    unplugging = threading.Thread(target=unplug)
    unplugging.start()
    engine = Ray(address=cluster.address, n_workers=4)
    assert take(another, partial(steps.slow, tmp_path, 0.7), engine, names).workers == 4
    unplugging.join()
    assert "a worker was lost" in capsys.readouterr().err
    assert kept(another) == kept(store)
