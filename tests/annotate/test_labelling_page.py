"""The page that a person annotates on, in a real browser, from a real server."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from annotate.labels import Questions, labelling_config
from annotate.labelstudio import LabelStudio, local_audio
from annotate.server import SHARED, Running
from annotate.tasks import clips, make_tasks, region_id
from corpus.media import flac_bytes
from tests.corpus.made import recording, utterance
from tests.servers.browser import Browser

UNO = recording("uno", artist="voz", palo="tonás")
PENA = replace(utterance(UNO, "ay pena mía", 2.0, 3.0), score=0.25)
TEXT = "[data-testid=textarea-region-textarea]"
SUBMIT = "[data-testid=bottombar-submit-button]"


@pytest.fixture
def project(server: LabelStudio, label_studio: Running) -> int:
    """A project with one task, whose clip is a tone that comes and goes."""
    made = server.make_project(f"Cante {uuid.uuid4().hex[:8]}", labelling_config(Questions()))
    (piece,) = clips([PENA], {UNO.id: UNO})
    (task,) = make_tasks([piece], {UNO.id: UNO})
    shared = label_studio.log.parent.parent / SHARED
    time = np.arange(round(piece.seconds * 16_000)) / 16_000
    sound = np.sin(2 * np.pi * 330 * time) * np.sin(np.pi * time) ** 2 / 2
    (shared / piece.clip).parent.mkdir(exist_ok=True)
    (shared / piece.clip).write_bytes(flac_bytes(sound.astype(np.float32)))
    server.serve_folder(made, shared / "clips")
    server.add_tasks(made, [{**task, "data": {**task["data"], "audio": local_audio(piece.clip)}}])
    return made


def log_in(browser: Browser, running: Running) -> None:
    login = json.loads(running.server.login.read_text("utf-8"))
    browser.open(f"{running.server.url}/user/login/")
    browser.write("#email", login["email"])
    browser.write("#password", login["password"])
    browser.click("[type=submit]")
    browser.until("location.pathname.startsWith('/projects') || location.pathname === '/'")


def test_a_person_hears_the_clip_corrects_it_and_hands_it_in(
    browser: Browser, label_studio: Running, server: LabelStudio, project: int, pictures: Path
) -> None:
    ((placed,),) = server.known_tasks(project).values()
    log_in(browser, label_studio)
    browser.open(f"{server.url}/projects/{project}/data?task={placed.id}", width=1500)
    browser.until(f"!!document.querySelector({SUBMIT!r})", 60)
    browser.until("document.querySelector('canvas')?.width > 300", 60)
    # As long as the clip is: it was fetched and decoded.
    browser.until(
        "[...document.querySelectorAll('input')].some(it => it.value === '00:00:04:000')", 60
    )
    browser.until(f"document.querySelector({TEXT!r})?.value === 'ay pena mía'", 60)
    browser.picture(pictures / "label-studio-task.png")
    browser.click(TEXT)
    browser.value(f"document.querySelector({TEXT!r}).select()")
    browser.call("Input.insertText", text="ay, ay pena mía")
    browser.press("Tab")
    browser.click(SUBMIT)
    browser.until(f"!document.querySelector({SUBMIT!r})", 30)
    (task,) = server.changed_tasks(project)
    (said,) = task["annotations"]
    assert {item["id"] for item in said["result"]} == {region_id(PENA.id)}
    told = {item["from_name"]: item for item in said["result"]}
    assert told["transcript"]["value"]["text"] == ["ay, ay pena mía"]
    assert said["parent_prediction"]
    assert said["completed_by"]["email"] == label_studio.server.email
    elsewhere = [at for at in browser.asked if not at.startswith((server.url, "data:", "blob:"))]
    assert elsewhere == []
