from __future__ import annotations

import uuid
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from annotate.labels import Questions, labelling_config
from annotate.labelstudio import LabelStudio, local_audio
from annotate.server import SHARED, Running, serve
from corpus.errors import AnnotationServerError, UsageError
from tests.annotate.studio import CONFIG, annotate, external_ids, ids, prediction, region, tasks
from tests.servers.label_studio import logged_in, personal_token, revoke

# ---- tokens


def test_the_legacy_token_logs_in(server: LabelStudio, label_studio: Running) -> None:
    assert server.who().email == label_studio.server.email


@pytest.mark.filterwarnings("ignore:The `parse_obj` method is deprecated:DeprecationWarning")
def test_a_personal_token_logs_in_until_it_is_revoked(label_studio: Running) -> None:
    with logged_in(label_studio) as session:
        token = personal_token(session)
        with LabelStudio(label_studio.server.url, token) as server:
            assert server.who().email == label_studio.server.email
            assert server.find_project("nothing of this title") is None
        revoke(session, token)
    with LabelStudio(label_studio.server.url, token) as server:
        with pytest.raises(AnnotationServerError, match="does not take the token") as told:
            server.who()
        assert token not in str(told.value)


@pytest.mark.parametrize("token", ["0" * 40, "x", "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjF9.c2ln"])
def test_a_wrong_or_expired_token_is_told(label_studio: Running, token: str) -> None:
    with (
        pytest.raises(AnnotationServerError, match="does not take the token") as told,
        LabelStudio(label_studio.server.url, token) as server,
    ):
        server.who()
    assert f"{token} " not in str(told.value)
    assert told.value.__cause__ is None
    assert told.value.__suppress_context__


def test_a_token_that_is_taken_back_is_not_taken_from_a_session(fresh: Path) -> None:
    with serve(fresh) as running:
        url, token = running.server.url, running.server.token
        with LabelStudio(url, token) as server, logged_in(running) as session:
            assert server.who().id
            headers = {"X-CSRFToken": session.cookies["csrftoken"], "Referer": url}
            assert session.post("/api/current-user/reset-token/", headers=headers).is_success
            with pytest.raises(AnnotationServerError, match="does not take the token"):
                server.who()
            with pytest.raises(AnnotationServerError, match="does not take the token"):
                server.make_project("not to be made", CONFIG)


@pytest.mark.parametrize("token", ["", " \n", "contraseña", "two words"])
def test_what_can_be_no_token_is_told_before_anybody_is_asked(token: str) -> None:
    with pytest.raises(UsageError, match="the token of Label Studio"):
        LabelStudio("http://127.0.0.1:9", token)


@pytest.mark.parametrize("url", ["", "127.0.0.1:8080", "ftp://a.example", "http://", "http://a:b"])
def test_what_is_no_address_is_told(url: str) -> None:
    with pytest.raises(UsageError, match="is no address of a server"):
        LabelStudio(url, "token")


def test_a_password_in_the_address_is_not_repeated() -> None:
    with pytest.raises(UsageError) as told:
        LabelStudio("https://me:hunter2@studio.example.org", "token")
    assert "hunter2" not in str(told.value)


def test_an_address_may_end_as_it_was_copied(label_studio: Running) -> None:
    with LabelStudio(f" {label_studio.server.url}/?a=b ", label_studio.server.token) as server:
        assert server.url == label_studio.server.url
        assert server.who().id


# ---- projects


def test_a_project_is_found_by_its_exact_title(server: LabelStudio) -> None:
    title = f"Cante {uuid.uuid4().hex[:8]}"
    made = server.make_project(title, CONFIG)
    assert server.find_project(title) == made
    assert server.find_project(title[:-1]) is None
    server.make_project(title, CONFIG)
    with pytest.raises(AnnotationServerError, match="2 projects with the title"):
        server.find_project(title)


def test_the_config_comes_back_as_it_was_stored(server: LabelStudio, project: int) -> None:
    assert server.config_of(project) == CONFIG
    other = labelling_config(Questions(palos=("seguiriya",)))
    server.set_config(project, other)
    assert server.config_of(project) == other


def test_a_config_that_the_server_refuses_is_told_in_one_line(
    server: LabelStudio, project: int
) -> None:
    with pytest.raises(AnnotationServerError, match="HTTP 400") as told:
        server.set_config(project, '<View>\n<Text name="t" value="$title">\n</View>')
    assert "\n" not in str(told.value)
    assert server.config_of(project) == CONFIG


def test_a_share_is_heard_by_two(server: LabelStudio, project: int) -> None:
    server.add_tasks(project, tasks(10))
    server.set_overlap(project, 0.2)
    told = [task["overlap"] for task in server.changed_tasks(project)]
    assert sorted(told) == [1] * 8 + [2] * 2


# ---- sound


def test_a_folder_is_heard_and_nothing_beside_it(
    server: LabelStudio, project: int, label_studio: Running
) -> None:
    shared = label_studio.log.parent.parent / SHARED
    (shared / "clips" / "ay ñ.flac").write_bytes(b"fLaC")
    (shared / "secret.txt").write_bytes(b"secret")
    for _ in range(2):
        server.serve_folder(project, shared / "clips")
    stored = server._raw("api/storages/localfiles/", method="GET", params={"project": project})
    assert len(stored) == 1
    with logged_in(label_studio) as session:
        assert session.get(local_audio("clips/ay ñ.flac")).content == b"fLaC"
        hidden = ("secret.txt", "../labelstudio/login.json", "clips/../secret.txt")
        assert not any(session.get(local_audio(path)).is_success for path in hidden)
    with pytest.raises(AnnotationServerError, match="HTTP 400"):
        server.serve_folder(project, label_studio.log.parent)


def test_sounds_are_sent_once(
    server: LabelStudio, project: int, label_studio: Running, tmp_path: Path
) -> None:
    paths = [tmp_path / f"{i:064x}.flac" for i in range(25)]
    for i, path in enumerate(paths):
        path.write_bytes(b"fLaC" + bytes([i]))
    first = server.upload(project, paths[:22])
    both = server.upload(project, paths)
    assert set(both) == {path.name for path in paths}
    assert {name: both[name] for name in first} == first
    with logged_in(label_studio) as session:
        assert session.get(both[paths[24].name]).content == b"fLaC\x18"
    assert server.count(project) == 0
    with pytest.raises(AnnotationServerError, match="No such file"):
        server.upload(project, [tmp_path / "none.flac"])


# ---- there


def test_tasks_are_added_once(server: LabelStudio, project: int) -> None:
    seen: list[int] = []
    first = server.add_tasks(project, [*tasks(300), *tasks(3)], track=seen.append)
    assert (first.new, first.known, seen) == (300, 0, [250, 300])
    again = server.add_tasks(project, tasks(310))
    assert (again.new, again.known) == (10, 300)
    assert server.count(project) == 310
    known = server.known_tasks(project)
    assert {len(placed) for placed in known.values()} == {1}
    assert set(known) == {task["data"]["external_id"] for task in tasks(310)}


def test_duplicates_and_tasks_of_others_are_seen(server: LabelStudio, project: int) -> None:
    server.add_tasks(project, tasks(2))
    foreign = {"data": {"audio": "a.flac", "title": "", "about": ""}}
    server._raw(f"api/projects/{project}/import", method="POST", json=[*tasks(1), foreign])
    known = server.known_tasks(project)
    twice = known[f"{0:064x}"]
    assert [len(placed) for placed in known.values()] == [2, 1]
    assert twice[0].id < twice[1].id
    assert server.count(project) == 4


def test_what_was_annotated_and_what_skipped_is_counted(server: LabelStudio, project: int) -> None:
    server.add_tasks(project, tasks(3))
    first, second, _ = ids(server, project)
    annotate(server, first)
    annotate(server, second, was_cancelled=True)
    placed = {p.id: p.annotations for one in server.known_tasks(project).values() for p in one}
    assert list(placed.values()) == [1, 1, 0]


def test_predictions_of_some_tasks_are_replaced(server: LabelStudio, project: int) -> None:
    server.add_tasks(project, tasks(3))
    numbers = ids(server, project)
    for _ in range(2):
        server.replace_predictions(project, {id_: prediction("otra") for id_ in numbers[:2]})
    asked = {"project": project, "fields": "all", "page_size": 10}
    told = server._raw("api/tasks/", method="GET", params=asked)["tasks"]
    found = [[p["result"][1]["value"]["text"] for p in task["predictions"]] for task in told]
    assert found == [[["otra"]], [["otra"]], [["ay que no quiero"]]]
    server.replace_predictions(project, {})
    with pytest.raises(AnnotationServerError, match="HTTP 400"):
        server.replace_predictions(project, {10**9: prediction()})


def test_what_nobody_has_touched_is_withdrawn(server: LabelStudio, project: int) -> None:
    server.add_tasks(project, tasks(6))
    handed_in, skipped, begun, *free = ids(server, project)
    annotate(server, handed_in)
    annotate(server, skipped, was_cancelled=True)
    annotate(server, begun, kind="drafts")
    assert server.count_said(project) == 2
    # Who has begun meanwhile keeps the task, whatever was asked for.
    assert server.withdraw(project, [handed_in, skipped, begun, free[0]]) == 1
    assert ids(server, project) == [handed_in, skipped, begun, *free[1:]]
    assert server.withdraw(project, []) == 0
    assert server.count(project) == 5


# ---- and back


def test_all_that_was_said_comes_back(
    server: LabelStudio, project: int, label_studio: Running
) -> None:
    server.add_tasks(project, tasks(4))
    first, second, third, fourth = ids(server, project)
    annotate(server, first, lead_time=4.5)
    annotate(server, first)
    annotate(server, second, was_cancelled=True)
    annotate(server, third, kind="drafts")
    told = {task["id"]: task for task in server.changed_tasks(project)}
    assert list(told) == [first, second, third, fourth]
    assert [len(told[id_]["annotations"]) for id_ in told] == [2, 1, 0, 0]
    assert [len(told[id_]["drafts"]) for id_ in told] == [0, 0, 0, 0]
    (begun,) = server.begun_tasks(project)
    assert begun["id"] == third
    assert "annotations" not in begun
    assert [one["user"] for one in begun["drafts"]] == [label_studio.server.email]
    assert begun["drafts"][0]["result"] == region()
    said = min(told[first]["annotations"], key=lambda one: int(one["id"]))
    assert said["completed_by"] == {"id": server.who().id, "email": label_studio.server.email}
    assert said["lead_time"] == pytest.approx(4.5)
    assert said["result"][1]["value"]["text"] == ["ay que no quiero"]
    assert told[second]["annotations"][0]["was_cancelled"] is True


def test_what_changed_comes_back(server: LabelStudio, project: int) -> None:
    server.add_tasks(project, tasks(3))
    everything = list(server.changed_tasks(project))
    newest = max(datetime.fromisoformat(task["updated_at"][:-1]) for task in everything)
    later = newest.replace(tzinfo=timezone.utc) + timedelta(minutes=1)
    assert list(server.changed_tasks(project, later)) == []
    # The server dates what is annotated now: so much later that it is after all before.
    assert len(list(server.changed_tasks(project, newest.replace(tzinfo=timezone.utc)))) == 3


def test_what_is_removed_meanwhile_hides_nothing_else(server: LabelStudio, project: int) -> None:
    server.add_tasks(project, tasks(450))
    numbers = ids(server, project)
    coming = server.changed_tasks(project)
    seen = [next(coming)["id"]]
    for id_ in numbers[:5]:
        server._raw("api/dm/actions/", method="POST", **_removal(project, id_))
    seen += [task["id"] for task in coming]
    assert seen == numbers
    assert server.count(project) == 445


def _removal(project: int, task: int) -> dict[str, Any]:
    chosen = {"selectedItems": {"all": False, "included": [task]}}
    return {"params": {"id": "delete_tasks", "project": project}, "json": chosen}


def test_a_project_that_is_removed_meanwhile_is_an_error(server: LabelStudio, project: int) -> None:
    server.add_tasks(project, tasks(250))
    coming = server.changed_tasks(project)
    next(coming)
    server._sdk.projects.delete(project)
    with pytest.raises(AnnotationServerError, match="no such thing, or no longer"):
        list(coming)
    for call in (server.known_tasks, server.config_of, server.count):
        with pytest.raises(AnnotationServerError, match="no such thing, or no longer"):
            call(project)
    with pytest.raises(AnnotationServerError, match="no such thing, or no longer"):
        server.add_tasks(project, tasks(1))


def test_five_thousand_tasks_go_and_come(server: LabelStudio, project: int) -> None:
    many = tasks(5000)
    assert server.add_tasks(project, many).new == 5000
    assert server.add_tasks(project, many).known == 5000
    assert external_ids(server, project) == [task["data"]["external_id"] for task in many]
