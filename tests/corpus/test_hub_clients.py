"""Releases at the hub by the command, and as the real clients read them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import yaml

from corpus.errors import PublishError
from corpus.publish.folder import CARD
from corpus.publish.pull import attach
from corpus.publish.push import push
from corpus.records import Tier
from corpus.workspace import Workspace
from tests.conftest import Cli
from tests.corpus.hub_releases import REPO, contents, published
from tests.corpus.publishing import publish
from tests.corpus.test_release import aligned_anew
from tests.servers.hub_state import OWNER, Hub

Releases = dict[str, Path]

pytestmark = pytest.mark.usefixtures("online")


# ---- the command


def test_the_newest_release_is_pushed_and_pulled_into_its_corpus(
    hub: Hub, aligned: Workspace, cli: Cli
) -> None:
    root = aligned.root / "releases"
    publish(aligned, root / "first")
    publish(aligned, root / "second")
    dry = cli("push", REPO, "--dry-run")
    assert dry.code == 0
    assert "data/train-last.parquet" in dry.out
    assert "configs:" in dry.out
    assert "unknown" in dry.out
    assert not hub.repos
    done = cli("push", REPO, "--private")
    assert done.code == 0
    assert "push: second is at" in done.err
    assert "private" in done.err
    before = contents(root / "second")
    known = {one.name: one.utterances for one in aligned.store.releases()}
    shutil.rmtree(root / "second")
    back = cli("pull", REPO)
    assert back.code == 0, back.err
    assert "its utterances are of this corpus" in back.err
    assert contents(root / "second") == before
    assert {one.name: one.utterances for one in aligned.store.releases()} == known
    named = cli("pull", REPO, "--name", "third", "--json").json
    assert named["foreign"] == 0
    assert named["pulled"]["release"] == "second"
    third = next(one for one in aligned.store.releases() if one.name == "third")
    assert set(third.utterances) == set(known["second"])


def test_a_release_of_others_stands_for_itself(
    releases: Releases, cli: Cli, workspace: Workspace
) -> None:
    push(releases["v1"], REPO)
    back = cli("pull", REPO)
    assert back.code == 0
    assert "18 of its utterances are not of this corpus" in back.err
    assert not workspace.store.releases()


def test_a_name_that_the_corpus_knows_otherwise_is_not_given_anew(
    aligned: Workspace, tmp_path: Path
) -> None:
    publish(aligned, tmp_path / "a" / "first")
    publish(aligned, tmp_path / "second", Tier.BRONZE)
    shutil.move(tmp_path / "second", tmp_path / "b" / "first")
    with pytest.raises(PublishError, match="knows another release named first"):
        attach(aligned, tmp_path / "b" / "first")


def test_what_was_aligned_anew_since_is_still_of_its_corpus(
    aligned: Workspace, tmp_path: Path
) -> None:
    publish(aligned, tmp_path / "first", Tier.BRONZE)
    known = aligned.store.releases()
    aligned_anew(aligned)
    gone = aligned.store.aligned_utterances().keys() - {u.id for u in aligned.store.utterances()}
    assert gone
    assert attach(aligned, tmp_path / "first") == 0
    assert [one.name for one in aligned.store.releases()] == [one.name for one in known]
    shutil.move(tmp_path / "first", tmp_path / "again")
    assert attach(aligned, tmp_path / "again") == 0
    assert {one.name for one in aligned.store.releases()} == {"first", "again"}


def test_gates_by_the_command(hub: Hub, releases: Releases, cli: Cli) -> None:
    fields = ("Name", "Country:country", "I agree: to all:checkbox", "Ratio 1:2")
    given = [part for one in fields for part in ("--gated-field", one)]
    asked = ("--gated", "manual", "--gated-prompt", "¿Para qué?", "--public")
    done = cli("push", REPO, releases["v1"], *asked, *given, "--json")
    assert done.code == 0, done.err
    assert done.json["gated"] == "manual"
    assert not done.json["private"]
    card = yaml.safe_load(published(hub)[CARD].decode().split("---\n")[1])
    assert card["extra_gated_fields"] == {
        "Name": "text",
        "Country": "country",
        "I agree: to all": "checkbox",
        "Ratio 1:2": "text",
    }
    assert card["extra_gated_prompt"] == "¿Para qué?"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--gated", "some"), "--gated is auto or manual"),
        (("--gated-field", "Name"), "give --gated auto"),
        (("--gated", "auto", "--gated-field", ":text"), "has no name"),
        ((), "there is no release yet"),
        (("nothing",), "is no release"),
    ],
)
def test_what_cannot_be_is_refused(cli: Cli, arguments: tuple[str, ...], told: str) -> None:
    done = cli("push", REPO, *arguments)
    assert done.code == 2
    assert told in done.err


# ---- the real clients


def environment(hub: Hub, home: Path, **more: str) -> dict[str, str]:
    """Of a program that goes online: to this hub, with a home of its own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "HUGGING"))}
    own = {"HF_ENDPOINT": hub.url, "HF_HOME": str(home), "HF_TOKEN": OWNER}
    return kept | own | {"HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1"} | more


def ran(arguments: list[str], env: dict[str, str]) -> str:
    done = subprocess.run(
        arguments, env=env, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


LOAD = """
    import json, sys
    from datasets import Audio, load_dataset

    read = []
    for streaming in (False, True):
        made = load_dataset("pena/cante", revision=sys.argv[1] or None, streaming=streaming)
        for split in made:
            plain = made[split].cast_column("audio", Audio(decode=False))
            rows = [(row["text"], row["audio"]["bytes"].hex()) for row in plain]
            read.append((streaming, split, rows))
    print(json.dumps(read))
"""


def test_datasets_loads_it_plain_and_streaming(
    hub: Hub, releases: Releases, tmp_path: Path
) -> None:
    import pyarrow.parquet as pq

    push(releases["v1"], REPO)
    push(releases["v2"], REPO)
    expected: dict[str, list[tuple[str, str]]] = {}
    for path in sorted((releases["v2"] / "data").iterdir()):
        rows = pq.read_table(path, columns=["text", "audio"]).to_pylist()
        split = expected.setdefault(path.name.partition("-")[0], [])
        split += [(row["text"], row["audio"]["bytes"].hex()) for row in rows]
    script = [sys.executable, "-c", textwrap.dedent(LOAD)]
    read = json.loads(ran([*script, ""], environment(hub, tmp_path / "home")))
    assert len(read) == 6
    for _, split, rows in read:
        assert sorted(map(tuple, rows)) == sorted(expected[split])
    first = json.loads(ran([*script, "v1"], environment(hub, tmp_path / "home")))
    assert [len(rows) for _, _, rows in first] == [12, 3, 3] * 2


OPEN_TO_TRAIN = """
    import json
    from train.data import open_splits, open_stream, read_sound

    train = open_splits("pena/cante")["train"]
    plain = sorted((row.text, len(train.sound(row.number))) for row in train.rows())
    stream = open_stream("pena/cante", seed=1)
    print(json.dumps([plain, sorted((row.text, len(read_sound(cell))) for row, cell in stream)]))
"""


def test_it_is_trained_on_without_a_folder(hub: Hub, releases: Releases, tmp_path: Path) -> None:
    push(releases["v1"], REPO)
    script = [sys.executable, "-c", textwrap.dedent(OPEN_TO_TRAIN)]
    plain, stream = json.loads(ran(script, environment(hub, tmp_path / "home")))
    assert len(plain) == 12
    assert stream == plain


def test_the_hubs_own_command_fetches_it(hub: Hub, releases: Releases, tmp_path: Path) -> None:
    done = push(releases["v1"], REPO)
    tool = str(Path(sys.executable).with_name("hf"))
    env = environment(hub, tmp_path / "home")
    wanted = ["download", REPO, "--repo-type", "dataset", "--revision", "v1"]
    ran([tool, *wanted, "--local-dir", str(tmp_path / "got")], env)
    got = {p: d for p, d in contents(tmp_path / "got").items() if not p.startswith((".", "README"))}
    mine = {p: d for p, d in contents(releases["v1"]).items() if p != CARD}
    assert got == mine
    assert (tmp_path / "got" / CARD).read_text("utf-8") == done.card


def test_the_command_asks_the_hub_of_the_environment(
    hub: Hub, releases: Releases, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "corpus"]
    env = environment(hub, tmp_path / "home")
    ran([*command, "push", REPO, str(releases["v1"])], env)
    assert set(published(hub)) == set(contents(releases["v1"]))
    login = environment(hub, tmp_path / "home") | {"HF_TOKEN": ""}
    (tmp_path / "home").mkdir(exist_ok=True)
    (tmp_path / "home" / "token").write_text(OWNER)
    ran([*command, "push", REPO, str(releases["v2"])], login)
    assert set(published(hub)) == set(contents(releases["v2"]))
