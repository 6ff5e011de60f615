"""A Label Studio server that runs, by its address and a token: projects, tasks and annotations.

https://api.labelstud.io describes what it is asked.
"""

from __future__ import annotations

import contextlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from annotate.connection import Connection, writing
from annotate.wire import batches, named, query, untouched
from corpus.depot import S3Place
from corpus.errors import AnnotationServerError

__all__ = ["Added", "LabelStudio", "Person", "Placed", "local_audio"]

Task = dict[str, Any]

_BATCH = 250
"""Tasks or predictions in one request."""

_EXPORTED = 100
"""Tasks of one export."""

_PAGE, _BARE_PAGE = 200, 1000
"""Tasks in one answer: with all that was said of them, and without."""

_FILES = 20
"""Sounds in one request; the server takes a hundred."""

_SIGNED_MINUTES = 15
"""For so long an address in a bucket is good: a browser fetches all of it at once."""

_UNREAD = "predictions,predictions_results,annotations_results"
"""Parts of a task that cost the server half its time, and that nobody reads."""

_ONE_SOUND = '<View><Audio name="audio" value="$audio"/></View>'


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody with an account on the server."""

    id: int
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A task on the server; `annotations` counts what was handed in, skipped ones too.

    `utterances` are the ids of those that it was made of.
    """

    id: int
    annotations: int
    utterances: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """How many tasks are new on the server, and how many were there."""

    new: int
    known: int


def local_audio(path: str) -> str:
    """What a task names as its sound: `path` is below the folder that the server gives away."""
    return f"/data/local-files/?d={quote(path)}"


class LabelStudio(Connection, contextlib.AbstractContextManager["LabelStudio"]):
    """The server at an address; `token` is an access token, or a legacy one.

    A context manager.  All methods raise AnnotationServerError where the server cannot be
    reached or refuses; the constructor raises UsageError for what is no address or no token.
    """

    def __exit__(self, *_: object) -> None:
        self._http.close()

    # ---- people and projects

    def who(self) -> Person:
        """Whose token it is."""
        told = self._read("logging in", self._sdk.users.whoami)
        return Person(id=told.id, email=told.email or "")

    def find_project(self, title: str) -> int | None:
        """The number of the project with exactly this title; an error where there are several."""
        listed: list[Any] = self._read(
            "listing projects", lambda: list(self._sdk.projects.list(title=title))
        )
        found = [project.id for project in listed if project.title == title]
        if len(found) > 1:
            raise AnnotationServerError(
                f"{self.url} has {len(found)} projects with the title '{title}': rename all but one"
            )
        return found[0] if found else None

    def make_project(self, title: str, config: str) -> int:
        """Make a project with this labelling config; its number."""
        made: Any = self._write(
            f"making the project '{title}'",
            lambda: self._sdk.projects.create(title=title, label_config=config),
        )
        return int(made.id)

    def config_of(self, project: int) -> str:
        """The labelling config as it is stored, with an end of line: the server takes that off."""
        return (self._project(project).label_config or "").strip() + "\n"

    def set_config(self, project: int, config: str) -> None:
        """Store another labelling config; refused where it does not fit what was annotated."""
        self._write(
            f"changing the labelling config of project {project}",
            lambda: self._sdk.projects.update(project, label_config=config),
        )

    def set_overlap(self, project: int, share: float) -> None:
        """Have a share, 0..1, of the tasks heard by two people, and the others by one."""
        asked = {"maximum_annotations": 2, "overlap_cohort_percentage": round(100 * share)}
        self._write(
            f"having {share:.0%} of project {project} heard by two",
            lambda: self._raw(f"api/projects/{project}/", method="PATCH", json=asked),
        )

    def count(self, project: int) -> int:
        """How many tasks a project has."""
        return self._project(project).task_number or 0

    def count_said(self, project: int) -> int:
        """How many annotations the server counts in a project, skipped ones too."""
        told = self._project(project)
        return (told.total_annotations_number or 0) + (told.skipped_annotations_number or 0)

    @contextlib.contextmanager
    def hinting(self, projects: Iterable[int], url: str) -> Iterator[None]:
        """Have the server post to an address, while the block lasts, when somebody hands in.

        Nothing of what is said is in it, and of drafts no hint comes.  Hints to addresses of the
        same folder end: who asked for them was killed.
        """
        with contextlib.ExitStack() as stack:
            for project in projects:
                stack.callback(self._end_hints, self._hint(project, url))
            yield

    def _hint(self, project: int, url: str) -> int:
        hooks, what = self._sdk.webhooks, f"asking project {project} for hints"
        for old in self._read(what, lambda: hooks.list(project=project)):
            if _folder(old.url) == _folder(url):
                self._end_hints(old.id)
        asked = {"url": url, "send_payload": False, "send_for_all_actions": True}
        made: Any = self._write(what, lambda: hooks.create(project=project, **asked))
        return int(made.id)

    def _end_hints(self, hook: int) -> None:
        # A server that is gone, or a project, sends none.
        with contextlib.suppress(AnnotationServerError):
            self._write("ending hints", lambda: self._sdk.webhooks.delete(hook))

    def _project(self, project: int) -> Any:
        return self._read(f"asking for project {project}", lambda: self._sdk.projects.get(project))

    # ---- sound

    def serve_folder(self, project: int, folder: Path) -> None:
        """Have a folder of the server's own disk heard in a project: once, however often asked.

        It lies below the folder that the server gives away, and is not that folder.
        """
        local, path = self._sdk.import_storage.local, str(folder)
        what = f"having {folder} heard in project {project}"
        known = self._read(what, lambda: local.list(project=project))
        if path not in {storage.path for storage in known}:
            made = {"title": folder.name, "use_blob_urls": True, "regex_filter": ".*"}
            self._write(what, lambda: local.create(project=project, path=path, **made))

    def serve_bucket(self, project: int, place: S3Place) -> None:
        """Have a bucket heard in a project: once, however often asked.

        Who listens is sent on to an address that the server has signed, with credentials of its
        own: none are sent there.  Something must lie in the place already.
        """
        s3, wanted = self._sdk.import_storage.s3, (place.bucket, place.prefix)
        name = f"s3://{place.bucket}/{place.prefix}"
        what = f"having {name} heard in project {project}: it needs credentials to read there"
        known = self._read(what, lambda: s3.list(project=project))
        if wanted not in {(storage.bucket, storage.prefix) for storage in known}:
            made: dict[str, Any] = {"title": name, "use_blob_urls": True, "recursive_scan": True}
            if place.endpoint:
                made["s3endpoint"] = place.endpoint
            self._write(
                what,
                lambda: s3.create(
                    project=project,
                    bucket=place.bucket,
                    prefix=place.prefix,
                    region_name=place.region,
                    presign=True,
                    presign_ttl=_SIGNED_MINUTES,
                    **made,
                ),
            )

    def upload(self, project: int, paths: Sequence[Path]) -> dict[str, str]:
        """Give sounds to the server; by the name of each file, what a task names as its sound.

        Those that are there by their names are not sent again.  They lie in a project of their
        own: the server takes no sound for one that asks for a title besides.  Raises
        AnnotationServerError for a file that cannot be read, too.
        """
        shelf_title = f"Sounds of project {project}"
        shelf = self.find_project(shelf_title) or self.make_project(shelf_title, _ONE_SOUND)
        there = self._uploaded(shelf)
        missing = [path for path in paths if path.name not in there]
        for batch in batches(missing, _FILES):
            self._send(shelf, batch)
        there = self._uploaded(shelf) if missing else there
        return {path.name: there[path.name] for path in paths}

    def _uploaded(self, shelf: int) -> dict[str, str]:
        """Addresses by the names that files had before the server put eight signs before each."""
        files = self._read(
            "listing sounds", lambda: self._sdk.files.list(shelf, all_=True, ordering="id")
        )
        return {re.sub(r"^.*/[^-/]*-", "", file.file): f"/data/{file.file}" for file in files}

    def _send(self, shelf: int, paths: Sequence[Path]) -> None:
        try:
            files = {path.name: (path.name, path.read_bytes(), "audio/flac") for path in paths}
        except OSError as error:
            raise AnnotationServerError(f"{error.filename}: {error.strerror}") from error
        # The files only: no tasks are made of them.
        self._write(
            f"sending {len(files)} sounds",
            lambda: self._raw(
                f"api/projects/{shelf}/import",
                method="POST",
                params={"commit_to_project": "false"},
                files=files,
            ),
        )

    # ---- tasks

    def known_tasks(self, project: int) -> dict[str, tuple[Placed, ...]]:
        """The tasks of a project by `data.external_id`, the oldest first where one is there twice.

        Tasks without that were not made here, and are left out.
        """
        wanted = {"include": "id,data,total_annotations,cancelled_annotations"}
        found: dict[str, list[Placed]] = defaultdict(list)
        for task in self._tasks(project, wanted, size=_BARE_PAGE):
            id_ = task["data"].get("external_id")
            if isinstance(id_, str) and id_:
                n_annotations = task["total_annotations"] + task["cancelled_annotations"]
                ids = tuple(map(str, task["data"].get("utterances") or ()))
                placed = Placed(id=task["id"], annotations=n_annotations, utterances=ids)
                found[id_].append(placed)
        return {id_: tuple(placed) for id_, placed in found.items()}

    def add_tasks(
        self, project: int, tasks: Iterable[Task], *, track: Callable[[int], None] | None = None
    ) -> Added:
        """Add the tasks whose `data.external_id` is not there yet; `track` is told how many are.

        Killed anywhere, the same call again adds what is missing and doubles nothing.
        """
        wanted = {task["data"]["external_id"]: task for task in tasks}
        there = self.known_tasks(project)
        new = [task for id_, task in wanted.items() if id_ not in there]
        n_done = 0
        for batch in batches(new, _BATCH):
            self._add(project, batch)
            n_done += len(batch)
            if track is not None:
                track(n_done)
        return Added(new=len(new), known=len(wanted) - len(new))

    def _add(self, project: int, batch: Any) -> None:
        told = self._write(
            f"adding tasks to project {project}",
            lambda: self._sdk.projects.import_tasks(
                project, request=batch, request_options=writing()
            ),
        )
        if told.task_count != len(batch):
            raise AnnotationServerError(
                f"{self.url} took {told.task_count or 0} of {len(batch)} tasks for project "
                f"{project}: look there, then run again"
            )

    def replace_predictions(
        self, project: int, predictions: Mapping[int, Mapping[str, Any]]
    ) -> None:
        """Let tasks, by their numbers, begin from these predictions instead of what they had.

        Other tasks keep theirs.  Leave out tasks that have annotations: those would no longer
        say which prediction they were begun from.
        """
        what = f"replacing predictions of project {project}"
        for batch in batches(sorted(predictions), _BATCH):
            self._forget_predictions(project, batch, what)
            request = [{**predictions[id_], "task": id_} for id_ in batch]
            self._write(
                what,
                lambda request=request: self._sdk.projects.import_predictions(  # type: ignore[misc]  # bound now
                    project, request=request, request_options=writing()
                ),
            )

    def _forget_predictions(self, project: int, tasks: Sequence[int], what: str) -> None:
        self._act(project, "delete_tasks_predictions", tasks, what)

    def withdraw(self, project: int, tasks: Sequence[int]) -> int:
        """Take tasks away that nobody has worked at, drafts too; how many that were.

        The server looks once more: who has begun meanwhile keeps the task.
        """
        what = f"withdrawing tasks of project {project}"
        told = [
            self._act(project, "delete_tasks", batch, what, filters=untouched())
            for batch in batches(tasks, _BATCH)
        ]
        return sum(one["processed_items"] for one in told)

    def _act(self, project: int, action: str, tasks: Sequence[int], what: str, **more: Any) -> Any:
        chosen = {"selectedItems": {"all": False, "included": list(tasks)}, **more}
        return self._write(
            what,
            lambda: self._raw(
                "api/dm/actions/",
                method="POST",
                params={"id": action, "project": project},
                json=chosen,
                request_options=writing(),
            ),
        )

    def changed_tasks(self, project: int, since: datetime | None = None) -> Iterator[Task]:
        """Tasks with all annotations, skipped ones too, in the order of their numbers.

        With `since`, those that were changed after it, and in the minute before.  Who annotated
        is an object with id and e-mail address, as in exports.
        All tasks come, or an error does, also when tasks or the project go meanwhile.
        """
        what = "listing people"
        people = {one.id: one.email for one in self._read(what, self._sdk.users.list)}
        wanted = {"fields": "all", "omit": _UNREAD}
        for task in self._tasks(project, wanted, size=_PAGE, since=since):
            for said in task["annotations"]:
                said["completed_by"] = named(said.get("completed_by"), people)
            # Those of whose token it is; all of them are told by `begun_tasks`.
            yield {**task, "drafts": []}

    def begun_tasks(self, project: int) -> Iterator[Task]:
        """Tasks with the drafts of all people; of annotations nothing is told."""
        wanted = {"include": "id,data,updated_at"}
        begun = self._tasks(project, wanted, size=_BARE_PAGE, begun=True)
        for some in batches(list(begun), _EXPORTED):
            drafts = self._drafts_of(project, [task["id"] for task in some])
            for task in some:
                yield {**task, "drafts": drafts.get(task["id"], [])}

    def _drafts_of(self, project: int, tasks: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
        """Everybody's drafts by task, which only an export tells."""
        asked = {"exportType": "JSON", "download_all_tasks": "true", "ids[]": list(tasks)}
        told = self._read(
            f"asking for drafts in project {project}",
            lambda: self._raw(f"api/projects/{project}/export", method="GET", params=asked),
        )
        return {task["id"]: task["drafts"] for task in told}

    def _tasks(
        self,
        project: int,
        wanted: Mapping[str, str],
        *,
        size: int,
        since: datetime | None = None,
        begun: bool = False,
    ) -> Iterator[Task]:
        """Page by page from the last number on: what comes or goes meanwhile moves no page."""
        last, n_left = 0, 1
        while n_left > 0:
            page, total = self._page(project, wanted, size, query(last, since, begun=begun))
            numbers = [last, *(task["id"] for task in page)]
            if numbers != sorted(set(numbers)) or (total and not page):
                raise AnnotationServerError(
                    f"{self.url} gave the tasks of project {project} out of order or not all of "
                    "them: run again; Label Studio 1.23 is known to work"
                )
            yield from page
            last, n_left = numbers[-1], total - len(page)

    def _page(
        self, project: int, wanted: Mapping[str, str], size: int, query: str
    ) -> tuple[list[Task], int]:
        asked = {**wanted, "project": project, "page": 1, "page_size": size, "query": query}
        told = self._read(
            f"asking for the tasks of project {project}",
            lambda: self._raw("api/tasks/", method="GET", params=asked),
        )
        return told["tasks"], told["total"]


def _folder(url: str) -> str:
    return urlsplit(url).path.rpartition("/")[0]
