"""Out of a corpus, before a person in a browser, and back into it: by the commands, for real."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from annotate.labelstudio import LabelStudio
from annotate.server import Running, serve
from corpus.media import flac_bytes
from corpus.records import Tier, Verdict
from corpus.rows import AlignedRecording
from corpus.workspace import Workspace
from tests.annotate.studio import annotate
from tests.annotate.test_labelling_page import SUBMIT, TEXT, log_in
from tests.conftest import Cli
from tests.corpus.made import recording, utterance
from tests.servers.browser import Browser
from tests.servers.label_studio import PRIVATE

SKIP = "[data-testid=bottombar-skip-button]"
UPDATE = "[data-testid=bottombar-update-button]"
REGION = ".lsf-outliner-item"
UNO = recording("uno", artist="voz", palo="tonás")
PENA = replace(utterance(UNO, "ay pena\nmía", 1.0, 2.0), score=0.2)
MADRE = replace(utterance(UNO, "mare de mi alma", 4.0, 2.0), score=0.5)
OLE = replace(utterance(UNO, "olé", 7.0, 2.0), score=0.8)


@pytest.fixture
def corpus(workspace: Workspace) -> Workspace:
    path = workspace.media.flac(UNO.id)
    path.parent.mkdir(parents=True)
    at = np.arange(160_000) / 16_000
    sound = np.sin(2 * np.pi * 330 * at) * np.sin(np.pi * at) ** 2 / 2
    path.write_bytes(flac_bytes(sound.astype(np.float32)))
    with workspace.store.transaction() as transaction:
        transaction.save([UNO, AlignedRecording(recording=UNO.id, utterances=(PENA, MADRE, OLE))])
    return workspace


@pytest.fixture
def studio(corpus: Workspace, migrated: Path) -> Iterator[Running]:
    """The server of this corpus, started before so that it is there soon."""
    shutil.copytree(migrated, corpus.root / PRIVATE)
    with serve(corpus.root) as running:
        yield running


def write(browser: Browser, text: str) -> None:
    browser.click(TEXT)
    browser.value(f"document.querySelector({TEXT!r}).select()")
    browser.call("Input.insertText", text=text)
    browser.press("Tab")


def shown(browser: Browser, text: str, length: str = "00:00:03:000") -> None:
    """Wait until a task is there whose first region has this text, and its sound as a wave."""
    browser.until(f"document.querySelector({TEXT!r})?.value === {text!r}", 60)
    # Its length is told once it was fetched and decoded.
    inputs = "[...document.querySelectorAll('input')]"
    browser.until(f"{inputs}.some(it => it.value === {length!r})", 60)
    browser.until("document.querySelector('canvas')?.width > 300", 60)


def test_one_is_corrected_one_skipped_and_one_begun(
    corpus: Workspace, studio: Running, cli: Cli, browser: Browser, pictures: Path
) -> None:
    pushed = cli("annotate", "push", "--json").json
    assert (pushed["new"], pushed["known"]) == (3, 0)
    again = cli("annotate", "push")
    assert "0 new tasks, 3 were there (0 of them begin anew)" in again.err
    log_in(browser, studio)
    browser.open(f"{pushed['url']}/data?labeling=1", width=1500)
    shown(browser, "ay pena\nmía")
    browser.picture(pictures / "label-studio-queue.png")
    write(browser, "ay penita\nmía")
    browser.click(SUBMIT)
    shown(browser, "mare de mi alma")
    # Its tooltip comes under the pointer while that presses, where the machine is busy.
    browser.value(f"document.querySelector({SKIP!r}).click()")
    shown(browser, "olé")
    write(browser, "olé y olé")
    with LabelStudio(studio.server.url, studio.server.token) as server:
        until(lambda: any(task["drafts"] for task in server.begun_tasks(pushed["project"])))
    told = cli("annotate", "pull", "--json").json
    assert told["verdicts"] == {"corrected": 1, "skipped": 1, "draft": 1}
    assert told["failures"] == []
    said = {one.utterance: one for one in corpus.store.annotations()}
    assert {id_: (one.verdict, one.text) for id_, one in said.items()} == {
        PENA.id: (Verdict.CORRECTED, "ay penita\nmía"),
        MADRE.id: (Verdict.SKIPPED, "mare de mi alma"),
        OLE.id: (Verdict.DRAFT, "olé y olé"),
    }
    assert {one.annotator for one in said.values()} == {studio.server.email}
    assert said[PENA.id].seconds > 0
    first, *others = corpus.store.utterances()
    assert (first.text, first.tier) == ("ay penita\nmía", Tier.GOLD)
    assert others == [MADRE, OLE]
    assert cli("annotate", "pull").code == 0
    assert len(corpus.store.annotations()) == 3
    secrets = (studio.server.token, (studio.server.login).read_text("utf-8"))
    for ran in (pushed, again.err, told):
        assert not any(secret in str(ran) for secret in secrets)


def test_regions_of_a_recording_are_there_and_come_back(
    corpus: Workspace, studio: Running, cli: Cli, browser: Browser, pictures: Path
) -> None:
    pushed = cli("annotate", "push", "--recordings", "--json").json
    assert (pushed["new"], pushed["seconds"]) == (1, 9.0)
    log_in(browser, studio)
    browser.open(f"{pushed['url']}/data?labeling=1", width=1500)
    shown(browser, PENA.text, "00:00:09:000")
    texts = f"[...document.querySelectorAll({TEXT!r})].map(it => it.value)"
    assert browser.value(texts) == [PENA.text, MADRE.text, OLE.text]
    write(browser, "ay penita\nmía")
    # How a region was is asked of the one that is chosen.
    browser.value(f"document.querySelectorAll({REGION!r})[1].click()")
    labels = "[...document.querySelectorAll('label')]"
    choice = f"{labels}.find(it => it.innerText.startsWith('Tiempos mal'))"
    browser.until(f"!!{choice}")
    browser.picture(pictures / "label-studio-recording.png")
    browser.value(f"{choice}.querySelector('input').click()")
    browser.click(SUBMIT)
    browser.until(f"!document.querySelector({SUBMIT!r})", 30)
    assert cli("annotate", "pull", "--json").json["verdicts"] == {
        "corrected": 1,
        "flagged": 1,
        "right": 1,
    }
    said = {one.utterance: one for one in corpus.store.annotations()}
    assert said[PENA.id].text == "ay penita\nmía"
    assert (said[MADRE.id].verdict, said[MADRE.id].remark) == (Verdict.FLAGGED, "times wrong")
    assert said[OLE.id].verdict is Verdict.RIGHT


def test_who_comes_back_to_it_has_spent_the_time_once(
    corpus: Workspace, studio: Running, cli: Cli, browser: Browser
) -> None:
    pushed = cli("annotate", "push", "--minutes", "0.06", "--json").json
    log_in(browser, studio)
    with LabelStudio(studio.server.url, studio.server.token) as server:
        number = server.known_tasks(pushed["project"])[PENA.id][0].id
    page = f"{pushed['url']}/data?task={number}"
    for text, before, button in (("ay pena", PENA.text, SUBMIT), ("ay penita", "ay pena", UPDATE)):
        browser.open(page, width=1500)
        shown(browser, before)
        write(browser, text)
        browser.until(f"!document.querySelector({button!r}).disabled")
        browser.click(button)
        # It is there once the server has it.
        until(lambda text=text: text in said_there(studio, number))  # type: ignore[misc]  # bound now
        assert cli("annotate", "pull").code == 0
    first, second = corpus.store.annotations()
    assert (first.text, second.text) == ("ay pena", "ay penita")
    assert second.seconds > first.seconds
    (work,) = cli("annotate", "status", "--json").json["people"]
    assert work["minutes"] == pytest.approx(second.seconds / 60)


def said_there(studio: Running, number: int) -> str:
    """All that is said in a task, as the server has it."""
    with LabelStudio(studio.server.url, studio.server.token) as server:
        return json.dumps(server._raw(f"api/tasks/{number}/annotations/", method="GET"))


def test_who_watches_is_told_at_once(
    corpus: Workspace, studio: Running, cli: Cli, tmp_path: Path
) -> None:
    project = cli("annotate", "push", "--json").json["project"]
    told = tmp_path / "told"
    # Polling alone would tell in a quarter of an hour.
    command = [sys.executable, "-m", "corpus", "annotate", "pull", "--watch", "900"]
    with (
        told.open("wb") as output,
        subprocess.Popen(command, cwd=corpus.root, stdout=output, stderr=output) as watching,
        LabelStudio(studio.server.url, studio.server.token) as server,
    ):
        try:
            until(lambda: bool(server._sdk.webhooks.list(project=project)))
            # Its first look, which is not to be what finds it.
            until(lambda: corpus.store.done("pull") != {})
            number = server.known_tasks(project)[PENA.id][0].id
            annotate(server, number, result=[], was_cancelled=True)
            until(lambda: "1 skipped" in told.read_text("utf-8"))
        finally:
            watching.send_signal(signal.SIGINT)
            watching.wait(30)
        assert server._sdk.webhooks.list(project=project) == []
    assert "Traceback" not in told.read_text("utf-8")


def until(done: Callable[[], bool], seconds: float = 60.0) -> None:
    """Ask again and again until it is so."""
    limit = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < limit, "waited in vain"
        time.sleep(0.2)
