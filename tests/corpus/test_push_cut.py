"""A push that is cut off, refused or left hanging, at any of its requests."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import pytest

from corpus.errors import CanteError, HubError
from corpus.publish.push import push
from corpus.workspace import Workspace
from tests.conftest import Cli
from tests.corpus.hub_releases import ALWAYS, REPO, contents, large, published, sent
from tests.servers.hub_state import OWNER, Fault, Hub

Releases = dict[str, Path]

pytestmark = pytest.mark.usefixtures("online")


# ---- cut off

KINDS: list[str | int] = ["cut", "half", "deaf", 401, 403, 409, 412, 429, 500, 503]


def walk(hub: Hub, kind: str | int, old: Path | None, new: Path) -> None:
    """Push `new` over `old`, and let all go wrong from each of its requests on, in turn."""
    if old:
        push(old, REPO)
    before, held = published(hub), deepcopy(hub.repos)
    push(new, REPO)
    after = published(hub)
    for at in range(1, 100):
        hub.clear()
        hub.repos.update(deepcopy(held))
        seen: list[dict[str, bytes]] = []
        hub.before = lambda *_, seen=seen: seen.append(published(hub))
        hub.fault = fault = Fault(kind, at=at, times=ALWAYS)
        told = failure_of(new)
        seen.append(published(hub))
        assert all(one in (before, after) for one in seen), f"a mix, at request {at}"
        assert "\n" not in told
        assert OWNER not in told
        if fault.seen < at:
            break
        hub.calm()
        push(new, REPO)
        assert published(hub) == after
        assert hub.repos[REPO].private
        assert hub.repos[REPO].tags[new.name] == hub.repos[REPO].head
    assert 10 < at < 99
    assert not told, "nothing went wrong, and nothing was told"


def failure_of(new: Path) -> str:
    """What is told of a push that fails; "" where it does not."""
    try:
        push(new, REPO)
    except CanteError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("kind", KINDS)
def test_a_push_that_fails_at_any_request_leaves_the_old_release_or_the_new(
    hub: Hub, releases: Releases, kind: str | int
) -> None:
    walk(hub, kind, releases["v1"], releases["v2"])


@pytest.mark.parametrize("kind", ["cut", "deaf"])
def test_a_first_push_that_fails_at_any_request_leaves_nothing_or_all(
    hub: Hub, releases: Releases, kind: str | int
) -> None:
    walk(hub, kind, None, releases["v1"])


@pytest.mark.parametrize("kind", ["cut", "half", "deaf", 409, 412, 429, 500])
def test_what_goes_wrong_once_at_a_commit_is_tried_again(
    hub: Hub, releases: Releases, kind: str | int
) -> None:
    push(releases["v1"], REPO)
    hub.calm()
    hub.fault = Fault(kind, path="POST .*/commit/")
    push(releases["v2"], REPO)
    assert set(published(hub)) == set(contents(releases["v2"]))
    titles = [one.title for one in hub.repos[REPO].commits.values()]
    assert titles == ["initial commit", "Release v1", "Release v2"], "and done once"


@pytest.mark.parametrize("path", ["GET .*/tree/", "PUT /large/", "POST .*/batch", "validate-yaml"])
@pytest.mark.parametrize("kind", ["cut", 500])
def test_what_goes_wrong_once_elsewhere_is_tried_again(
    hub: Hub, releases: Releases, kind: str | int, path: str
) -> None:
    hub.fault = Fault(kind, path=path)
    push(releases["v1"], REPO)
    assert hub.fault.seen > 1
    assert set(published(hub)) == set(contents(releases["v1"]))


def test_what_came_before_a_cut_is_not_sent_again(hub: Hub, releases: Releases) -> None:
    hub.fault = Fault("cut", at=4, times=ALWAYS, path="PUT /large/")
    with pytest.raises(HubError, match="cannot be reached"):
        push(releases["v1"], REPO)
    came = sent(hub)
    hub.calm()
    push(releases["v1"], REPO)
    assert len(came) == 3
    assert sorted(came + sent(hub)) == sorted(large(releases["v1"]))


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (401, "hf auth login"),
        (403, "you may not do that with pena/cante: Forbidden"),
        (404, "is not at the hub"),
        (409, "answers with 409"),
        (412, "answers with 412"),
        (429, "come again later"),
        (500, "answers with 500"),
        ("cut", "cannot be reached"),
    ],
)
def test_each_refusal_is_told_in_a_line(
    hub: Hub, releases: Releases, kind: str | int, told: str
) -> None:
    push(releases["v1"], REPO)
    hub.fault = Fault(kind, times=ALWAYS, path="POST .*/commit/")
    with pytest.raises(HubError, match=told):
        push(releases["v2"], REPO)


def test_a_hub_that_hangs_is_left_and_asked_again(
    hub: Hub, releases: Releases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("corpus.publish.hub._SECONDS", (0.3, 0.3))
    hub.fault = Fault("hang", path="POST .*/commit/", seconds=1)
    push(releases["v1"], REPO)
    assert set(published(hub)) == set(contents(releases["v1"]))
    hub.fault = Fault("hang", path="GET .*/refs", times=ALWAYS, seconds=1)
    with pytest.raises(HubError, match="timed out"):
        push(releases["v2"], REPO)


def test_a_hub_that_is_busy_says_for_how_long(
    hub: Hub, releases: Releases, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("tenacity.nap.time.sleep", waits.append)
    asked = {"Retry-After": "7"}
    hub.fault = Fault(429, path="GET .*/refs", headers=asked, times=2)
    push(releases["v1"], REPO)
    hub.fault = Fault(429, path="GET .*/refs", headers={"RateLimit": '"api";r=0;t=9'})
    push(releases["v1"], REPO)
    assert waits == [7.0, 7.0, 9.0]
    hub.fault = Fault(429, path="GET .*/refs", headers={"Retry-After": "3600"})
    with pytest.raises(HubError, match="come again later"):
        push(releases["v1"], REPO)
    assert hub.fault.seen == 1, "nobody waits for an hour"


# ---- tokens, and no hub at all


def test_without_a_login_nothing_is_pushed(
    hub: Hub, releases: Releases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(HubError, match="nobody is logged in"):
        push(releases["v1"], REPO)
    assert not hub.log
    assert push(releases["v1"], REPO, dry_run=True).files, "that does without"


def test_a_hub_that_is_not_there_is_told(
    releases: Releases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(HubError, match=r"127.0.0.1:9 cannot be reached: .*[Rr]efused"):
        push(releases["v1"], REPO)


def test_a_dry_run_does_without_a_hub(
    cli: Cli, releases: Releases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    ran = cli("push", REPO, releases["v1"], "--dry-run")
    assert ran.code == 0, ran.err
    assert "127.0.0.1:9 cannot be reached" in ran.err
    assert "; so what is there already is not counted" in ran.err
    assert "9 of 9 files to send" in ran.err
    assert "data/train-b.parquet" in ran.out
    assert "configs:" in ran.out


@pytest.mark.parametrize("name", ["cante", "a/b/c", "", "pena/ca nte", "pena/..", "pena/x\ny"])
def test_a_name_that_the_hub_cannot_have_is_told(hub: Hub, releases: Releases, name: str) -> None:
    with pytest.raises(HubError, match="OWNER/NAME"):
        push(releases["v1"], name)
    assert not hub.log


def test_a_token_that_cannot_be_sent_is_not_told(releases: Releases) -> None:
    for token in ("hf_sécretÑ鳥", "hf_two words\tand\x01more"):
        with pytest.raises(HubError) as error:
            push(releases["v1"], REPO, token=token)
        assert token not in str(error.value)
        assert token[3:7] not in str(error.value)


def test_no_token_is_printed_or_kept(
    hub: Hub, releases: Releases, cli: Cli, workspace: Workspace
) -> None:
    told = [cli("push", REPO, releases["v1"]), cli("push", REPO, releases["v2"], "--json")]
    hub.fault = Fault(401, times=ALWAYS)
    told.append(cli("pull", REPO))
    hub.calm()
    told.append(cli("pull", REPO))
    assert [one.code for one in told] == [0, 0, 1, 0], told
    assert not any(OWNER in one.out + one.err for one in told)
    assert not any(OWNER.encode() in data for data in contents(workspace.root).values())
