"""A Label Studio server that runs, by its address and a token: projects, tasks and annotations.

The only file that imports its SDK (https://labelstud.io/guide/sdk).  Every answer that is no good
becomes an AnnotationServerError in one line without token, cookies or HTML.  What writes is sent
once and never again by itself; what reads is asked three times.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import httpx
from label_studio_sdk import LabelStudio as Sdk
from label_studio_sdk.core.api_error import ApiError
from pydantic import ValidationError
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential

from annotate.wire import Refusals, address, batches, checked_token, named, query
from corpus.errors import AnnotationServerError

__all__ = ["Added", "LabelStudio", "Person", "Placed", "local_audio"]

Task = dict[str, Any]
T = TypeVar("T")

_BATCH = 250
"""Tasks or predictions in one request."""

_EXPORTED = 100
"""Tasks of one export."""

_PAGE, _BARE_PAGE = 200, 1000
"""Tasks in one answer: with all that was said of them, and without."""

_FILES = 20
"""Sounds in one request; the server takes a hundred."""

_TIMEOUT = httpx.Timeout(60.0, connect=10.0)
# A batch that is given up on may still be stored: the server gets the time to say so.
_WRITING_TIMEOUT = 300.0

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
    """A task on the server; `annotations` counts what was handed in, skipped ones too."""

    id: int
    annotations: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """How many tasks are new on the server, and how many were there."""

    new: int
    known: int


def local_audio(path: str) -> str:
    """What a task names as its sound: `path` is below the folder that the server gives away."""
    return f"/data/local-files/?d={quote(path)}"


class LabelStudio(contextlib.AbstractContextManager["LabelStudio"]):
    """The server at an address; `token` is an access token, or a legacy one.

    A context manager.  All methods raise AnnotationServerError where the server cannot be
    reached or refuses; the constructor raises UsageError for what is no address or no token.
    """

    def __init__(self, url: str, token: str, *, timeout: httpx.Timeout = _TIMEOUT) -> None:
        self.url = address(url)
        token = checked_token(token)
        self._says = Refusals(self.url, token)
        self._http = httpx.Client(
            timeout=timeout,
            # A proxy cannot reach what runs on this machine.
            trust_env=urlsplit(self.url).hostname not in {"127.0.0.1", "localhost", "::1"},
            # A POST that is sent on to elsewhere becomes a GET there.
            follow_redirects=False,
            # The server sends a session: with it, a token that was revoked would go on working.
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
        )
        with self._told("logging in"):
            # The slash keeps the last folder of the address where the SDK joins its own paths.
            self._sdk = Sdk(  # type: ignore[no-untyped-call]  # its subclass of itself has no types
                base_url=f"{self.url}/",
                api_key=token,
                httpx_client=self._http,
                max_retries=0,
            )

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
                found[id_].append(Placed(id=task["id"], annotations=n_annotations))
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
                project, request=batch, request_options=_writing()
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
                    project, request=request, request_options=_writing()
                ),
            )

    def _forget_predictions(self, project: int, tasks: Sequence[int], what: str) -> None:
        chosen = {"selectedItems": {"all": False, "included": list(tasks)}}
        self._write(
            what,
            lambda: self._raw(
                "api/dm/actions/",
                method="POST",
                params={"id": "delete_tasks_predictions", "project": project},
                json=chosen,
                request_options=_writing(),
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
        """Tasks with the drafts of all people, and without annotations."""
        wanted = {"include": "id,data,updated_at"}
        begun = self._tasks(project, wanted, size=_BARE_PAGE, begun=True)
        for some in batches(list(begun), _EXPORTED):
            drafts = self._drafts_of(project, [task["id"] for task in some])
            for task in some:
                yield {**task, "annotations": [], "drafts": drafts.get(task["id"], [])}

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

    # ---- asking

    def _read(self, what: str, call: Callable[[], T]) -> T:
        asking = Retrying(
            retry=retry_if_exception(_passing),
            stop=stop_after_attempt(3),
            wait=wait_exponential(multiplier=0.25, max=2),
            reraise=True,
        )
        with self._told(what):
            return asking(call)

    def _write(self, what: str, call: Callable[[], T]) -> T:
        with self._told(what):
            return call()

    def _raw(self, path: str, **request: Any) -> Any:
        """The JSON as the server sends it: the SDK's own types turn dates and choices around."""
        # The one way to ask with the SDK's login.
        wrapper = self._sdk._client_wrapper  # noqa: SLF001
        answer = wrapper.httpx_client.request(path, **request)
        if not answer.is_success:
            raise ApiError(
                status_code=answer.status_code, headers=dict(answer.headers), body=_body(answer)
            )
        return answer.json()

    @contextlib.contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """Errors in one line.  Nothing is chained to them: theirs hold cookies and pages."""
        try:
            yield
        except ApiError as error:
            status, answer = error.status_code or 0, (error.headers, error.body)
            raise AnnotationServerError(self._says.refused(what, status, *answer)) from None
        except httpx.HTTPError as error:
            raise AnnotationServerError(self._says.unreached(what, error)) from None
        except (json.JSONDecodeError, ValidationError, KeyError):
            raise AnnotationServerError(self._says.no_label_studio(what)) from None


def _passing(error: BaseException) -> bool:
    """Whether it may be better in a moment; who was waited for too long is not asked again."""
    if isinstance(error, ApiError):
        return error.status_code in {429, 502, 503, 504}
    return isinstance(error, httpx.TransportError) and not isinstance(error, httpx.TimeoutException)


def _folder(url: str) -> str:
    return urlsplit(url).path.rpartition("/")[0]


def _body(answer: httpx.Response) -> object:
    try:
        return answer.json()
    except ValueError:
        return None


def _writing() -> Any:
    return {"max_retries": 0, "timeout": _WRITING_TIMEOUT}
