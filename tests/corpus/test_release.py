"""The folder of a release: the same for the same, whole or not there, true to what it says."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import soundfile

from corpus.errors import PublishError
from corpus.media import hash_file
from corpus.publish.clips import Codec
from corpus.publish.folder import MANIFEST, read_manifest
from corpus.publish.tally import tally
from corpus.records import Tier, Verdict
from corpus.rows import AlignedRecording
from corpus.workspace import Workspace
from tests.conftest import Cli
from tests.corpus.made import utterance, verse
from tests.corpus.publishing import publish, said, table

# ---- the folder


@pytest.mark.parametrize("codec", list(Codec))
def test_the_same_gives_the_same_bytes(aligned: Workspace, tmp_path: Path, codec: Codec) -> None:
    folders = (tmp_path / "here" / "uno", tmp_path / "there" / "uno")
    for folder in folders:
        publish(aligned, folder, Tier.BRONZE, codec=codec)
    first, second = map(read_manifest, folders)
    assert first.files == second.files
    assert first.files.keys() > {"README.md", "plots/hours.png"}
    for name, told in first.files.items():
        path = folders[0] / name
        assert (hash_file(path), path.stat().st_size) == (told.sha256, told.bytes)


def test_processes_give_the_same_bytes(
    aligned: Workspace, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("corpus.publish.shards._SHORTEST", 1)
    for name, options in {"uno": (), "dos": ("--processes", "2")}.items():
        made = cli("release", name, "--min-tier", "bronze", "--json", *options)
        assert made.code == 0, made.err
        assert (made.json["busy"] is not None) == bool(options)
    data = [aligned.root / "releases" / name / "data" for name in ("uno", "dos")]
    first, second = ({path.name: path.read_bytes() for path in one.iterdir()} for one in data)
    assert len(first) > 2
    assert first == second


def test_a_change_of_one_utterance_changes_one_file(
    aligned: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("corpus.publish.shards._SHORTEST", 1)
    publish(aligned, tmp_path / "uno", Tier.BRONZE)
    changed = replace(said(aligned.store.utterances()[0], "ana"), text="por la calle", words=())
    with aligned.store.transaction() as transaction:
        transaction.save([replace(changed, verdict=Verdict.CORRECTED)])
    publish(aligned, tmp_path / "dos", Tier.BRONZE)
    first, second = (
        {path.name: path.read_bytes() for path in (tmp_path / name / "data").iterdir()}
        for name in ("uno", "dos")
    )
    assert first.keys() == second.keys()
    assert sum(first[name] != second[name] for name in first) == 1


def test_opus_and_pointers(aligned: Workspace, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    publish(aligned, tmp_path / "opus", codec=Codec.OPUS)
    publish(aligned, tmp_path / "pointers", pointers=True)
    for name, there in (("opus", True), ("pointers", False)):
        for path in (tmp_path / name / "data").iterdir():
            for one in pq.read_table(path).to_pylist():
                assert bool(one["audio"]) is there
                assert not there or one["audio"]["path"] == f"{one['id']}.opus"
                assert not there or soundfile.info(io.BytesIO(one["audio"]["bytes"])).duration > 0


def test_a_release_is_counted_from_its_rows(aligned: Workspace, tmp_path: Path) -> None:
    told = publish(aligned, tmp_path / "uno", Tier.BRONZE)
    found = tally(tmp_path / "uno")
    assert {split: share.utterances for split, share in found.splits.items()} == told.rows
    assert sum(share.recordings for share in found.splits.values()) == 5
    assert sum(share.singers for share in found.splits.values()) == 4
    assert (found.unnamed, found.annotators, found.shared) == (1, 0, ())
    assert set(found.groups["palo"]) == {"tientos"}
    assert set(found.groups["decade"]) == {"1950s"}
    by_kind = {
        kind: sum(part.utterances for part in parts.values())
        for kind, parts in found.groups["kind"].items()
    }
    assert by_kind == {"letra": 5, "quejío": 5}
    (part,) = found.groups["singer"]["Paco"].values()
    assert part.utterances == 2
    assert part.hours == pytest.approx(3.5 / 3600)
    assert sum(found.rights.values()) == 10


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda path: path.unlink(), "is no release: it has no manifest.json"),
        (lambda path: path.write_text("{"), "is damaged"),
        (lambda path: path.write_text('{"name": "x"}'), r"is damaged \(made: field required\)"),
        (lambda path: (path.unlink(), path.mkdir()), "cannot be read: Is a directory"),
    ],
)
def test_a_damaged_manifest_is_told(
    aligned: Workspace, tmp_path: Path, damage: Callable[[Path], object], told: str
) -> None:
    publish(aligned, tmp_path / "uno")
    damage(tmp_path / "uno" / MANIFEST)
    with pytest.raises(PublishError, match=told):
        read_manifest(tmp_path / "uno")


def test_damaged_rows_are_told(aligned: Workspace, tmp_path: Path) -> None:
    publish(aligned, tmp_path / "uno")
    first, *_ = sorted((tmp_path / "uno" / "data").iterdir())
    first.write_bytes(first.read_bytes()[:100])
    with pytest.raises(PublishError, match="cannot be read"):
        tally(tmp_path / "uno")


def test_no_split_shares_a_copla(aligned: Workspace, tmp_path: Path) -> None:
    shared = verse("que me lo den", source="z", rights="CC0")
    known = aligned.store.recordings()
    with aligned.store.transaction() as transaction:
        transaction.save([shared])
        for one in known[:4]:
            mine = replace(utterance(one, "que me lo den", 1.0), verse=shared.id)
            own = replace(utterance(one, f"ay {one.artist}", 4.0), tier=Tier.SILVER)
            both = (replace(mine, tier=Tier.SILVER), own)
            transaction.save([AlignedRecording(recording=one.id, utterances=both)])
    told = publish(aligned, tmp_path / "uno")
    (aside,) = told.set_aside
    assert aside.startswith("its copla is in ")
    rows = table(tmp_path / "uno").to_pylist()
    assert len(rows) == sum(told.rows.values())
    by_split = {
        path.name.split("-")[0]: pq_rows(path) for path in (tmp_path / "uno" / "data").iterdir()
    }
    coplas = [{one["copla"] for one in found} - {""} for found in by_split.values()]
    assert not any(a & b for i, a in enumerate(coplas) for b in coplas[i + 1 :])
    card_said = (tmp_path / "uno" / "README.md").read_text("utf-8")
    assert f"{told.set_aside[aside]} {aside}" in card_said


def pq_rows(path: Path) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    found: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return found


def test_an_earlier_test_set_stays(aligned: Workspace, tmp_path: Path) -> None:
    publish(aligned, tmp_path / "uno", Tier.BRONZE)
    publish(aligned, tmp_path / "dos", Tier.SILVER, fixed_test="uno")
    releases = {one.name: one for one in aligned.store.releases()}
    tests = [
        {one.utterance for one in releases[name].utterances if one.split == "test"}
        for name in ("uno", "dos")
    ]
    assert tests[1]
    assert tests[1] < tests[0]  # those that are silver
    with pytest.raises(PublishError, match="there is no release tres to take the test set of"):
        publish(aligned, tmp_path / "tres", fixed_test="tres")


def aligned_anew(workspace: Workspace) -> None:
    """As a better aligner does: every utterance has another span, and another id."""
    for one in workspace.store.recordings():
        later = tuple(
            replace(old, start=old.start + 0.01, words=())
            for old in workspace.store.utterances(one.id)
        )
        with workspace.store.transaction() as transaction:
            transaction.save([AlignedRecording(recording=one.id, utterances=later)])


def rows_of_test(folder: Path) -> list[dict[str, Any]]:
    """Its test set, but for what is counted over all of a recording."""
    rows = [row for path in sorted((folder / "data").glob("test-*")) for row in pq_rows(path)]
    return [{name: cell for name, cell in row.items() if name != "quejio_share"} for row in rows]


def test_an_earlier_test_set_stays_when_all_is_aligned_anew(
    aligned: Workspace, tmp_path: Path
) -> None:
    publish(aligned, tmp_path / "uno", Tier.BRONZE)
    aligned_anew(aligned)
    told = publish(aligned, tmp_path / "dos", Tier.BRONZE, fixed_test="uno")
    assert rows_of_test(tmp_path / "dos") == rows_of_test(tmp_path / "uno") != []
    # What the aligner makes of that singer now is beside it, and the others' is new.
    assert told.set_aside == {"its singer is in the fixed test set": 2}
    others = {row["id"] for row in table(tmp_path / "uno").to_pylist()}.intersection(
        row["id"] for row in table(tmp_path / "dos").to_pylist()
    )
    assert others == {row["id"] for row in rows_of_test(tmp_path / "uno")}
    assert told.fixed_test_gone == 0
    assert "The test set is that of `uno`." in (tmp_path / "dos" / "README.md").read_text("utf-8")


def test_what_is_missing_of_an_earlier_test_set_is_told(aligned: Workspace, tmp_path: Path) -> None:
    publish(aligned, tmp_path / "uno", Tier.BRONZE)
    ids = sorted(row["id"] for row in rows_of_test(tmp_path / "uno"))
    mine = {one.id: one for one in aligned.store.utterances() if one.id in ids}
    assert len(ids) == 2
    for n, id_ in enumerate(ids):
        with aligned.store.transaction() as transaction:
            transaction.save([replace(said(mine[id_], "ana"), verdict=Verdict.REJECTED)])
        folder = tmp_path / f"without {n}"
        if n:
            with pytest.raises(PublishError, match="nothing of the test set of uno may go in"):
                publish(aligned, folder, Tier.BRONZE, fixed_test="uno")
            assert not folder.exists()
        else:
            told = publish(aligned, folder, Tier.BRONZE, fixed_test="uno")
            assert told.fixed_test_gone == 1
            card = (folder / "README.md").read_text("utf-8")
            assert "that of `uno` without 1 rows that were left out since." in card


@pytest.mark.parametrize("years", ["1950-1940", "50", "1950-", "19501960"])
@pytest.mark.usefixtures("workspace")
def test_years_that_cannot_be(cli: Cli, years: str) -> None:
    ran = cli("release", "uno", "--years", years)
    assert ran.code == 2
    assert f"--years begins after it ends: {years}" in ran.err or "--years is a year" in ran.err
