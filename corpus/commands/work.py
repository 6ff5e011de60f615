"""What `corpus annotate status` shows: people's work and how far they agree, in tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from corpus.show import as_json, say, table

if TYPE_CHECKING:
    from annotate.agreement import Agreement
    from annotate.status import Project, Shares, Work
    from corpus.workspace import Workspace

__all__ = ["show_work"]

_SAID = ("right", "corrected", "rejected", "flagged", "skipped", "drafts")
_MADE = ("texts", "times", "kinds", "added", "minutes", "pace")


def show_work(workspace: Workspace, *, json: bool) -> None:
    """Each person and each project: what is done, how fast, what changes, how far they agree."""
    from annotate.agreement import agreement
    from annotate.heard import people_of
    from annotate.stage import PUSHED
    from annotate.status import projects_of, shares, work_of

    store = workspace.store
    annotations, aligned = store.annotations(), store.aligned_utterances()
    people = work_of(annotations, aligned)
    agreed = [agreement(annotations, (), (), person=one.person) for one in people]
    projects = projects_of(store.done(PUSHED), people_of(store), annotations, aligned)
    shared = shares(store.utterances(words=False), store.descriptions())
    if json:
        told = [
            {**asdict(one), "agreement": with_others}
            for one, with_others in zip(people, agreed, strict=True)
        ]
        as_json({"people": told, "projects": projects, "shares": shared})
        return
    _show_projects(projects)
    spoken_of = (one.work for one in projects if one.work.said)
    _show_work([*people, *spoken_of])
    _show_agreement(
        [(one.person, with_others) for one, with_others in zip(people, agreed, strict=True)]
        + [(one.name, one.agreement) for one in projects]
    )
    _show_shares(shared)


def _show_projects(projects: Sequence[Project]) -> None:
    if projects:
        rows = [(one.name, one.tasks, one.heard) for one in projects]
        table(("project", "tasks", "heard by somebody"), rows)


def _show_work(work: Sequence[Work]) -> None:
    if not work:
        say("annotate: nobody has said anything yet")
        return
    for columns, names in (
        (("person", "right", "corrected", "not sung", "flagged", "skipped", "begun"), _SAID),
        (("changed by", "texts", "times", "kinds", "added", "minutes", "a minute of audio"), _MADE),
    ):
        table(columns, [(one.person, *(getattr(one, name) for name in names)) for one in work])


def _show_agreement(found: Sequence[tuple[str, Agreement]]) -> None:
    """Of those who heard what somebody else has heard too."""
    rows = []
    for name, one in found:
        if one.utterances:
            median = one.boundaries[0] if one.boundaries else None
            alpha = dict(one.alpha)["kind"]
            rows.append((name, one.utterances, one.word_error_rate, median, alpha))
    if rows:
        apart = "ends apart, s: median"
        table(("agrees", "utterances of two", "word error rate", apart, "alpha: kind"), rows)


def _show_shares(found: Shares) -> None:
    for name, share in (
        ("checked, of the seconds of all utterances", found.checked),
        ("cries (quejío), of what is sung and checked", found.quejio),
        ("words of this culture, of the words that were checked", found.culture),
    ):
        if share is not None:
            say(f"annotate: {100 * share:.1f} % {name}")
