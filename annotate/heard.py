"""Of which tasks on a server annotations have come, and whose: to count them, by project.

A row of progress for each task that has any; a project is its server's address and its number.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from annotate.fields import MalformedError, annotator
from corpus.rows import Done
from corpus.saving import Transaction
from corpus.store import Store
from corpus.text import clean

__all__ = ["forget_heard", "n_heard", "note_heard", "people_of"]

_HEARD = "heard"
"""The stage: `inputs` is the task's own name, `note` has a line for each annotation with who."""


def note_heard(transaction: Transaction, project: str, task: Mapping[str, Any], at: str) -> None:
    """Note who handed in, or skipped, a task as the server gives it; drafts do not count."""
    if "annotations" not in task:
        return
    item, people = f"{project} {task['id']}", [_who(said) for said in task["annotations"]]
    if not people:
        transaction.forget(_HEARD, item)
        return
    # It is stored, and not every database takes every sign.
    name, note = clean(str(task["data"].get("external_id") or "")), "\n".join(people)
    done = Done(stage=_HEARD, item=item, inputs=name, state="done", note=note, at=at)
    transaction.mark(done)


def _who(said: Mapping[str, Any]) -> str:
    try:
        return annotator(said.get("completed_by"))
    except MalformedError:
        return ""


def n_heard(store: Store, project: str) -> int:
    """How many annotations have come from a project."""
    mine = _rows(store, project).values()
    return sum(done.note.count("\n") + 1 for done in mine)


def forget_heard(store: Store, project: str, *, but: Collection[int]) -> None:
    """Forget the tasks of a project that are no longer there: all but these numbers."""
    with store.transaction() as transaction:
        for item in _rows(store, project):
            if int(item.rpartition(" ")[2]) not in but:
                transaction.forget(_HEARD, item)


def people_of(store: Store) -> dict[str, dict[str, set[str]]]:
    """Who handed in or skipped, by project and by the task's own name."""
    found: dict[str, dict[str, set[str]]] = {}
    for item, done in store.done(_HEARD).items():
        tasks = found.setdefault(item.rpartition(" ")[0], {})
        tasks.setdefault(done.inputs, set()).update(done.note.split("\n"))
    return found


def _rows(store: Store, project: str) -> dict[str, Done]:
    begins = f"{project} "
    return {item: done for item, done in store.done(_HEARD).items() if item.startswith(begins)}
