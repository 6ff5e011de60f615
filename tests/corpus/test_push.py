"""Releases go to the hub: what is sent, over what, and who may have it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from corpus.errors import HubError, PublishError
from corpus.publish.folder import CARD, MANIFEST
from corpus.publish.hub_card import gate_of
from corpus.publish.pull import pull
from corpus.publish.push import push
from tests.corpus.hub_releases import (
    CARD_TEXT,
    REPO,
    change_at_hub,
    contents,
    large,
    published,
    sent,
)
from tests.servers.hub_state import OTHER, Hub

Releases = dict[str, Path]

pytestmark = pytest.mark.usefixtures("online")


# ---- there and back


def test_a_release_comes_back_byte_for_byte(hub: Hub, releases: Releases, tmp_path: Path) -> None:
    done = push(releases["v1"], REPO)
    assert done.private
    assert done.tag == "v1"
    assert done.commit == hub.repos[REPO].head
    assert hub.repos[REPO].private, "nobody said --public"
    assert hub.repos[REPO].tags == {"v1": done.commit}
    assert all(one.sent for one in done.files)
    back = pull(REPO, tmp_path / "releases")
    assert Path(back.folder) == tmp_path / "releases" / "v1"
    assert contents(Path(back.folder)) == contents(releases["v1"])
    assert (back.files, back.fetched) == (9, 8)
    assert not list((tmp_path / "releases").glob(".*")), "nothing is left beside it"


def test_what_is_there_is_not_sent_again(hub: Hub, releases: Releases) -> None:
    first = push(releases["v1"], REPO)
    hub.calm()
    again = push(releases["v1"], REPO)
    assert again.commit == first.commit
    assert not any(one.sent for one in again.files)
    assert {one.method for one in hub.log} <= {"GET", "POST"}
    assert not [one for one in hub.log if "/commit/" in one.path or "/tag/" in one.path]


def test_the_next_release_sends_what_is_new_and_takes_the_rest_away(
    hub: Hub, releases: Releases
) -> None:
    push(releases["v1"], REPO)
    hub.calm()
    done = push(releases["v2"], REPO)
    assert set(sent(hub)) == large(releases["v2"]) - large(releases["v1"])
    assert done.removed == ("data/train-c.parquet",)
    assert set(published(hub)) == set(contents(releases["v2"]))
    assert set(hub.repos[REPO].tags) == {"v1", "v2"}
    parents = [one.parent for one in hub.repos[REPO].commits.values()]
    assert len(parents) == len(set(parents)) == 3, "a line of commits, each on the one before"


def test_both_revisions_can_be_pulled(releases: Releases, tmp_path: Path) -> None:
    push(releases["v1"], REPO)
    push(releases["v2"], REPO, tag="v2.0")
    for revision, name in (("v1", "v1"), ("v2.0", "v2"), ("", "v2")):
        back = pull(REPO, tmp_path / f"as-{revision}", revision=revision)
        assert contents(Path(back.folder)) == contents(releases[name])
    named = pull(REPO, tmp_path, revision="v1", name="theirs")
    assert contents(tmp_path / "theirs") == contents(releases["v1"])
    assert named.release == "v1"


def test_files_that_somebody_added_at_the_hub_stay(hub: Hub, releases: Releases) -> None:
    push(releases["v1"], REPO)
    change_at_hub(hub, **{"NOTES.md": b"mine", "data/old.parquet": b"PAR1"})
    push(releases["v2"], REPO)
    assert published(hub)["NOTES.md"] == b"mine"
    assert "data/old.parquet" not in published(hub), "data/ is the release's alone"


def test_a_dry_run_says_all_and_does_nothing(hub: Hub, releases: Releases) -> None:
    told = push(releases["v1"], REPO, dry_run=True)
    assert not hub.repos
    assert {one.path for one in told.files} == set(contents(releases["v1"]))
    assert told.rights == {"cc0 | cc0 | cc0": 18}
    assert "configs:" in told.card
    assert told.commit == ""
    push(releases["v1"], REPO)
    head = hub.repos[REPO].head
    told = push(releases["v2"], REPO, dry_run=True)
    to_send = {one.path for one in told.files if one.sent}
    assert to_send == {"data/train-b.parquet", "plots/hours.png", MANIFEST}
    assert told.removed == ("data/train-c.parquet",)
    assert hub.repos[REPO].head == head


# ---- somebody else


def test_a_stale_parent_is_built_upon(hub: Hub, releases: Releases) -> None:
    push(releases["v1"], REPO)
    times = [0]

    def meddle(_: str, path: str) -> None:
        if "/commit/" in path and times[0] < 2:
            times[0] += 1
            change_at_hub(hub, **{f"NOTES-{times[0]}.md": b"hers"})

    hub.before = meddle
    push(releases["v2"], REPO)
    titles = [one.title for one in hub.repos[REPO].commits.values()]
    assert titles == ["initial commit", "Release v1", "by hand", "by hand", "Release v2"]
    assert {"NOTES-1.md", "NOTES-2.md"} < set(published(hub))


def test_who_is_always_slower_gives_up(hub: Hub, releases: Releases) -> None:
    push(releases["v1"], REPO)
    hub.before = lambda _, path: (
        change_at_hub(hub, **{"NOTES.md": os.urandom(8)}) if "/commit/" in path else None
    )
    with pytest.raises(HubError, match="answers with 412"):
        push(releases["v2"], REPO)


def test_a_repository_of_something_else_is_left_alone(hub: Hub, releases: Releases) -> None:
    hub.create(REPO, private=True)
    change_at_hub(hub, **{"voices.parquet": b"PAR1"})
    with pytest.raises(HubError, match=r"holds something else \(voices.parquet\)"):
        push(releases["v1"], REPO)


def test_an_empty_repository_made_by_hand_is_taken(hub: Hub, releases: Releases) -> None:
    hub.create(REPO, private=True)
    change_at_hub(hub, **{"README.md": b"to come"})
    push(releases["v1"], REPO)
    assert set(published(hub)) == set(contents(releases["v1"]))


def test_a_tag_of_another_release_stays(hub: Hub, releases: Releases) -> None:
    push(releases["v1"], REPO)
    with pytest.raises(HubError, match="another release under the tag v1: give another --tag"):
        push(releases["v2"], REPO, tag="v1")
    assert set(published(hub)) == set(contents(releases["v1"]))


@pytest.mark.parametrize("tag", ["a b", "a..b", "v1.", "v1.lock", "a/b", "-v", "a\nb", "~1"])
def test_what_no_tag_may_be_called_is_told_first(hub: Hub, releases: Releases, tag: str) -> None:
    with pytest.raises(HubError, match="no name for a tag"):
        push(releases["v1"], REPO, tag=tag)
    assert not hub.repos


def test_nobody_writes_to_somebody_elses(hub: Hub, releases: Releases) -> None:
    with pytest.raises(HubError, match="you may not do that with pena/cante"):
        push(releases["v1"], REPO, token=OTHER)
    with pytest.raises(HubError, match="does not know this token"):
        push(releases["v1"], REPO, token="hf_made_up")  # noqa: S106  # of nobody
    assert not hub.repos


def test_a_file_that_the_hub_leaves_out_is_told(
    hub: Hub, releases: Releases, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(releases["v1"], REPO)
    repo = hub.repos[REPO]
    usual = repo.commit

    def ignoring(title: str, files: Any) -> Any:
        return usual(title, {p: one for p, one in files.items() if not p.endswith(".png")})

    monkeypatch.setattr(repo, "commit", ignoring)
    with pytest.raises(HubError, match=r"took the commit without plots/hours.png"):
        push(releases["v2"], REPO)


# ---- who may have it


def test_what_not_everybody_may_have_is_not_pushed_to_everybody(
    hub: Hub, releases: Releases
) -> None:
    with pytest.raises(PublishError, match=r"shut may not be public \(18 by the audio: unknown\)"):
        push(releases["shut"], REPO, private=False)
    assert not hub.log, "the hub was not even asked"
    push(releases["shut"], REPO)
    assert hub.repos[REPO].private


def test_what_everybody_may_have_is_public_only_where_told(hub: Hub, releases: Releases) -> None:
    push(releases["v1"], REPO, private=False)
    assert not hub.repos[REPO].private
    with pytest.raises(HubError, match="is public: push with --public"):
        push(releases["shut"], REPO)
    with pytest.raises(HubError, match="is public: push with --public"):
        push(releases["v2"], REPO)
    push(releases["v2"], REPO, private=False)


def test_what_was_private_does_not_become_public_with_its_past(
    hub: Hub, releases: Releases
) -> None:
    push(releases["shut"], REPO)
    with pytest.raises(HubError, match="all that was pushed there before would become public"):
        push(releases["v1"], REPO, private=False)
    assert hub.repos[REPO].private


def test_an_empty_private_repository_becomes_public(hub: Hub, releases: Releases) -> None:
    hub.create(REPO, private=True)
    push(releases["v1"], REPO, private=False)
    assert not hub.repos[REPO].private


def test_the_gate_is_shut_before_anything_is_there(
    hub: Hub, releases: Releases, tmp_path: Path
) -> None:
    gate = {"extra_gated_prompt": "Para qué:\n---\nñ", "extra_gated_fields": {"Name": "text"}}
    seen: list[tuple[bool, bool]] = []
    hub.before = lambda *_: seen.append(
        (MANIFEST in published(hub), bool(REPO in hub.repos and hub.repos[REPO].gated))
    )
    done = push(releases["v1"], REPO, private=False, gated="manual", gate=gate)
    assert hub.repos[REPO].gated == done.gated == "manual"
    assert (True, False) not in seen
    card = published(hub)[CARD].decode()
    assert gate_of(card) == gate
    assert (releases["v1"] / CARD).read_text("utf-8") == CARD_TEXT, "the folder stays as it is"
    with pytest.raises(HubError, match="it is gated, ask for access on its page"):
        pull(REPO, tmp_path, token=OTHER)
    assert contents(Path(pull(REPO, tmp_path).folder)) == contents(releases["v1"])
    # The next release asks the same, unless told.
    push(releases["v2"], REPO, private=False)
    assert gate_of(published(hub)[CARD].decode()) == gate
    other = {"extra_gated_prompt": "¿Por qué?"}
    push(releases["v2"], REPO, private=False, gated="manual", gate=other)
    assert gate_of(published(hub)[CARD].decode()) == other


def test_what_is_for_research_goes_to_whom_somebody_lets_in(hub: Hub, releases: Releases) -> None:
    for gated in (None, "auto"):
        with pytest.raises(PublishError, match=r"asked may not be public \(18 by the audio: rese"):
            push(releases["asked"], REPO, private=False, gated=gated)
    assert not hub.log
    push(releases["asked"], REPO, private=False, gated="manual")
    assert (hub.repos[REPO].private, hub.repos[REPO].gated) == (False, "manual")
    with pytest.raises(PublishError, match=r"18 by the audio: unknown.*with --gated of what may"):
        push(releases["shut"], REPO, private=False, gated="manual")
    # What is open to everybody now stands on top of what is not.
    with pytest.raises(HubError, match="would be for whoever asks: keep --gated manual"):
        push(releases["v1"], REPO, private=False, gated="auto")
    push(releases["v1"], REPO, private=False)
    assert hub.repos[REPO].gated == "manual"


def test_a_release_without_sound_is_for_everybody_whose_ever_its_sound(
    hub: Hub, releases: Releases, tmp_path: Path
) -> None:
    done = push(releases["mute"], REPO, private=False)
    assert not hub.repos[REPO].private
    assert done.rights == {"unknown | cc0 | cc0": 18}
    back = pull(REPO, tmp_path)
    assert contents(Path(back.folder)) == contents(releases["mute"])
    # A release with sound over it takes what recordings are known by away.
    push(releases["v1"], REPO, private=False)
    assert set(published(hub)) == set(contents(releases["v1"]))
