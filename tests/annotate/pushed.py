"""Three utterances that are put before people on a real server, and what those make of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from annotate.labelstudio import LabelStudio
from annotate.stage import to_hear
from annotate.sync import Pushed, Sound, push_to
from corpus.records import Utterance, Verdict
from corpus.rows import AlignedRecording
from corpus.workspace import Workspace
from tests.annotate.people import Edit
from tests.annotate.studio import annotate
from tests.corpus.made import recording, utterance

UNO = recording("uno", artist="voz")
PENA = replace(utterance(UNO, "ay pena\nmía", 1.0, 2.0), score=0.2)
MADRE = replace(utterance(UNO, "mare de mi alma", 4.0, 2.0), score=0.5)
OLE = replace(utterance(UNO, "olé", 7.0, 2.0), score=0.8)
ALL = (PENA, MADRE, OLE)
SENT = Sound()


def align(workspace: Workspace, *utterances: Utterance) -> None:
    with workspace.store.transaction() as transaction:
        transaction.save([UNO, AlignedRecording(recording=UNO.id, utterances=utterances)])


def push(workspace: Workspace, server: LabelStudio, title: str, **more: Any) -> Pushed:
    return push_to(workspace, server, title, to_hear(workspace), SENT, **more)


def push_pieces(workspace: Workspace, server: LabelStudio, title: str) -> Pushed:
    """All that is sung in the recording in one task."""
    return push_to(workspace, server, title, to_hear(workspace, longest=180.0), SENT)


def number_of(server: LabelStudio, project: int, of: Utterance | str) -> int:
    """The number of the task of an utterance, or of one by its own name."""
    return server.known_tasks(project)[of if isinstance(of, str) else of.id][0].id


def begun_from(server: LabelStudio, project: int, of: Utterance | str) -> list[dict[str, Any]]:
    """The result that a person begins from."""
    id_ = number_of(server, project, of)
    (prediction,) = server._raw("api/predictions/", method="GET", params={"task": id_})
    result: list[dict[str, Any]] = prediction["result"]
    return result


def hand_in(
    server: LabelStudio, project: int, of: Utterance | str, *edits: Edit, **more: Any
) -> dict[str, Any]:
    result = begun_from(server, project, of)
    for edit in edits:
        edit(result)
    told: dict[str, Any] = annotate(
        server, number_of(server, project, of), **{"result": result, "lead_time": 20.0, **more}
    )
    return told


def texts(workspace: Workspace) -> list[str]:
    return [one.text for one in workspace.store.utterances()]


def said(workspace: Workspace) -> list[tuple[str, Verdict]]:
    return [(one.text, one.verdict) for one in workspace.store.annotations()]
