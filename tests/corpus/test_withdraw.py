"""What was purged is told of the releases that hold it, and the next release is without it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.errors import PublishError
from corpus.media import hash_file
from corpus.publish.folder import read_manifest
from corpus.publish.pointers import read_pointers
from corpus.publish.tally import tally
from corpus.publish.withdraw import LETRA, RECORDING, follow_up, released_here, withdrawn
from corpus.records import Tier
from corpus.workspace import Workspace
from tests.conftest import Cli
from tests.corpus.publishing import publish, table
from tests.servers.hub_state import Hub


@pytest.fixture
def folder(aligned: Workspace) -> Path:
    """A release of the corpus: five recordings, ten utterances."""
    folder = aligned.root / "releases" / "uno"
    publish(aligned, folder, Tier.BRONZE)
    return folder


def purge(cli: Cli, *which: str) -> str:
    ran = cli("purge", *which, "--reason", "asked", "--yes")
    assert ran.code == 0
    return ran.err


def test_nothing_purged_nothing_withdrawn(cli: Cli, aligned: Workspace, folder: Path) -> None:
    assert withdrawn(aligned, folder) == []
    ran = cli("withdraw", "uno", "dos")
    assert ran.code == 0
    assert "nothing of uno was purged" in ran.err
    assert released_here(aligned) == [folder]


def test_a_purged_singer_is_told_and_left_out(cli: Cli, aligned: Workspace, folder: Path) -> None:
    before = {one["id"]: one for one in table(folder).to_pylist()}
    mine = {id_ for id_, one in before.items() if one["singer"] == "Paco"}
    told = purge(cli, "--artist", "paco")
    assert "the release uno holds 2 rows of it: `corpus withdraw uno NEW`" in told
    listed = cli("withdraw", "uno", "--json").json
    assert {one["utterance"] for one in listed} == mine
    assert {(one["singer"], one["reason"]) for one in listed} == {("Paco", RECORDING)}
    assert "Paco" in cli("withdraw", str(folder)).out
    ran = cli("withdraw", "uno", "dos", "--json")
    assert ran.code == 0
    after = folder.with_name("dos")
    left = {one["id"]: one for one in table(after).to_pylist()}
    assert left == {id_: one for id_, one in before.items() if id_ not in mine}
    assert ran.json["rows"] == read_manifest(after).rows
    assert sum(ran.json["rows"].values()) == 8
    # The one it follows stays as it was; a purge tells of the newest only.
    assert withdrawn(aligned, folder) != []
    assert withdrawn(aligned, after) == []
    assert released_here(aligned) == [after]


def test_a_release_that_lies_elsewhere_is_told_too(
    cli: Cli, aligned: Workspace, folder: Path, tmp_path: Path
) -> None:
    publish(aligned, tmp_path / "afuera")
    told = purge(cli, "--artist", "Paco")
    assert "the release uno holds 2 rows of it" in told
    assert "the release afuera, whose folder is not in the corpus, held 1 rows of it" in told
    assert cli("withdraw", tmp_path / "afuera", "dos").code == 0
    assert "Paco" not in {row["singer"] for row in table(folder.with_name("dos")).to_pylist()}


def test_what_one_sings_with_others_goes_too(cli: Cli, aligned: Workspace) -> None:
    one, other = aligned.store.recordings()[:2]
    with aligned.store.transaction() as transaction:
        transaction.save([replace(one, artist="El Lebrijano y Paco")])
        transaction.save([replace(other, artist="Fosforito con Paco")])
    purge(cli, "--artist", "paco")
    left = {one.artist for one in aligned.store.recordings()}
    assert "El Lebrijano y Paco" not in left
    assert "Fosforito con Paco" in left  # who accompanies does not sing


def test_a_push_after_it_takes_the_rows_away(cli: Cli, hub: Hub, online: Hub, folder: Path) -> None:
    assert cli("push", "pena/cante").code == 0
    mine = {row["id"] for row in table(folder).to_pylist() if row["singer"] == "Paco"}
    purge(cli, "--artist", "Paco")
    assert cli("withdraw", "uno", "dos").code == 0
    hub.calm()
    assert cli("push", "pena/cante").code == 0
    files = online.repos["pena/cante"].files
    rows = [
        row
        for path, data in files.items()
        if path.endswith(".parquet")
        for row in pq.read_table(pa.BufferReader(data), columns=["id", "singer"]).to_pylist()
    ]
    assert len(rows) == 8
    assert not mine & {row["id"] for row in rows}
    assert b"`uno` without what had to be withdrawn" in files["README.md"]


def test_a_fixed_test_set_tells_what_was_purged_of_it(
    cli: Cli, aligned: Workspace, tmp_path: Path
) -> None:
    half = {"train": 0.5, "test": 0.5}
    publish(aligned, aligned.root / "releases" / "uno", Tier.BRONZE, shares=half)
    (known,) = aligned.store.releases()
    tested = {one.utterance for one in known.utterances if one.split == "test"}
    rows = table(aligned.root / "releases" / "uno").to_pylist()
    singers = sorted({row["singer"] for row in rows if row["id"] in tested} - {""})
    assert len(tested) > 2
    purge(cli, "--artist", singers[0])
    made = publish(aligned, tmp_path / "dos", Tier.BRONZE, shares=half, fixed_test="uno")
    assert made.fixed_test_gone == 2
    card = (tmp_path / "dos" / "README.md").read_text("utf-8")
    assert "The test set is that of `uno` without 2 rows" in card
    for one in aligned.store.recordings():
        if {u.id for u in aligned.store.utterances(one.id)} & tested:
            purge(cli, "--recording", one.id)
    with pytest.raises(PublishError, match="nothing is left of a test set of uno"):
        publish(aligned, tmp_path / "tres", Tier.BRONZE, shares=half, fixed_test="uno")
    assert not (tmp_path / "tres").exists()


def test_what_stays_keeps_its_bytes_and_split(
    cli: Cli, aligned: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("corpus.publish.shards._SHORTEST", 1)
    folder = aligned.root / "releases" / "uno"
    publish(aligned, folder, Tier.BRONZE)
    purge(cli, "--artist", "Camarón")
    gone = withdrawn(aligned, folder)
    changed = {one.file for one in gone}
    follow_up(aligned, folder, "dos", tmp_path / "dos", gone)
    old, new = read_manifest(folder), read_manifest(tmp_path / "dos")
    same = {name for name in new.files if name.startswith("data/")} - changed
    assert same
    assert all(new.files[name] == old.files[name] for name in same)
    assert all(hash_file(tmp_path / "dos" / name) == new.files[name].sha256 for name in new.files)
    assert (new.follows, new.withdrawn) == ("uno", {RECORDING: 2})
    # The corpus knows which utterances the new one holds, as it did of the old one.
    kept = {one.name: {u.utterance for u in one.utterances} for one in aligned.store.releases()}
    assert kept["dos"] == kept["uno"] == {one["id"] for one in table(tmp_path / "dos").to_pylist()}
    said = (tmp_path / "dos" / "README.md").read_text("utf-8")
    assert "`uno` without what had to be withdrawn (2 its recording was purged)" in said
    assert tally(tmp_path / "dos").shared == ()


def test_the_sound_stays_as_it_was(cli: Cli, folder: Path) -> None:
    def sounds(of: Path) -> dict[str, bytes]:
        found = {}
        for file in (of / "data").iterdir():
            for row in pq.read_table(file, columns=["id", "audio"]).to_pylist():
                found[row["id"]] = row["audio"]["bytes"]
        return found

    before = sounds(folder)
    purge(cli, "--artist", "Paco")
    assert cli("withdraw", "uno", "dos").code == 0
    after = sounds(folder.with_name("dos"))
    assert len(after) == 8
    assert all(before[id_] == sound for id_, sound in after.items())


def test_what_recordings_are_known_by_goes_with_them(cli: Cli, aligned: Workspace) -> None:
    folder = aligned.root / "releases" / "pointers"
    publish(aligned, folder, Tier.BRONZE, pointers=True)
    purge(cli, "--artist", "Paco")
    assert cli("withdraw", "pointers", "dos").code == 0
    before, after = (
        {one.recording: one for one in read_pointers(path)}
        for path in (folder, folder.with_name("dos"))
    )
    (gone,) = before.keys() - after.keys()
    assert after.keys() == {one.id for one in aligned.store.recordings()}
    assert gone not in after
    for id_, one in after.items():
        assert one.code == before[id_].code
        assert one.level.tobytes() == before[id_].level.tobytes()
    assert read_manifest(folder.with_name("dos")).codec == ""


def test_a_purged_letra_takes_its_rows_along(cli: Cli, aligned: Workspace, folder: Path) -> None:
    # Each copla has its own place in the source "a".
    assert "the release uno holds 5 rows of it" in purge(cli, "--source", "a")
    assert {one.reason for one in withdrawn(aligned, folder)} == {LETRA}
    assert {row["kind"] for row in table(folder).to_pylist()} == {"letra", "quejío"}
    assert cli("withdraw", "uno", "dos").code == 0
    left = table(folder.with_name("dos")).to_pylist()
    assert {row["kind"] for row in left} == {"quejío"}


@pytest.mark.parametrize("new", ["../dos", "a/b", ".", ""])
def test_a_name_that_is_none(cli: Cli, aligned: Workspace, folder: Path, new: str) -> None:
    purge(cli, "--artist", "Paco")
    ran = cli("withdraw", "uno", new)
    assert ran.code == (2 if new else 0)
    assert sorted(path.name for path in folder.parent.iterdir()) == ["uno"]
    assert aligned.root.exists()


def test_taken_names_and_empty_releases(
    cli: Cli, aligned: Workspace, folder: Path, tmp_path: Path
) -> None:
    purge(cli, "--artist", "Paco")
    gone = withdrawn(aligned, folder)
    with pytest.raises(PublishError, match="there is a release named uno"):
        follow_up(aligned, folder, "uno", tmp_path / "x", gone)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "mine").touch()
    with pytest.raises(PublishError, match="is taken"):
        follow_up(aligned, folder, "dos", tmp_path / "taken", gone)
    everything = [replace(gone[0], utterance=row["id"]) for row in table(folder).to_pylist()]
    with pytest.raises(PublishError, match="nothing would be left of uno"):
        follow_up(aligned, folder, "dos", tmp_path / "dos", everything)
    assert not (tmp_path / "dos").exists()
    assert cli("withdraw", "tres").code == 2
    assert {one.name for one in aligned.store.releases()} == {"uno"}


def test_a_damaged_release_is_told_after_the_purge(
    cli: Cli, aligned: Workspace, folder: Path
) -> None:
    (folder / "manifest.json").write_text("{", "utf-8")
    ran = cli("purge", "--artist", "Paco", "--reason", "asked", "--yes")
    assert ran.code == 1
    assert "manifest.json is damaged" in ran.err
    assert "Paco" not in {one.artist for one in aligned.store.recordings()}
