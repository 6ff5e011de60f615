"""What hands, ears and clocks do to the page for one person: in a real browser."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from annotate.page import page
from corpus.media import flac_bytes
from corpus.rows import AlignedRecording
from corpus.workspace import Workspace
from tests.conftest import Cli
from tests.corpus.made import recording, tone, utterance
from tests.servers.browser import Browser

UNO = recording("uno", artist="voz", palo="tonás")
PENA = replace(utterance(UNO, "ay pena\nmía", 1.0, 1.0), score=0.2)
MADRE = replace(utterance(UNO, "mare de mi alma", 4.0, 1.0), score=0.5)
OLE = replace(utterance(UNO, "olé", 7.0, 1.0), score=0.8)

PLAYS = "document.getElementById('play-word').textContent === 'Parar'"
HEAD = "parseFloat(document.getElementById('head').style.left) / 100 * 2"
LATER = "Date.now = ((now) => () => now() + {ms})(Date.now)"
"""Clips are of 2 s: a second with half a second on each side."""


@pytest.fixture
def workspace(workspace: Workspace) -> Workspace:
    path = workspace.media.flac(UNO.id)
    path.parent.mkdir(parents=True)
    path.write_bytes(flac_bytes(tone(UNO.duration)))
    with workspace.store.transaction() as transaction:
        transaction.save([UNO, AlignedRecording(recording=UNO.id, utterances=(PENA, MADRE, OLE))])
    return workspace


@pytest.fixture
def opened(workspace: Workspace, browser: Browser, tmp_path: Path) -> Browser:
    page(workspace, tmp_path / "page.html")
    return reopened(browser, tmp_path)


def reopened(browser: Browser, folder: Path) -> Browser:
    browser.open((folder / "page.html").as_uri())
    browser.until("document.body.dataset.ready")
    return browser


def shown(browser: Browser, id_: str) -> str:
    return str(browser.value(f"document.getElementById({id_!r}).textContent"))


def hold(browser: Browser, key: str, **more: Any) -> None:
    """Keep a key down until it has come three times."""
    for again in (False, True, True):
        browser.call("Input.dispatchKeyEvent", type="keyDown", key=key, autoRepeat=again, **more)
    browser.call("Input.dispatchKeyEvent", type="keyUp", key=key, **more)


def drag(browser: Browser, id_: str, by: float) -> None:
    """Drag the end of the stretch by so many seconds."""
    x, y, width = browser.value(
        "((grip, curve) => [grip.x + grip.width / 2, grip.y + 60, curve.width])"
        f"(...[{id_!r}, 'sound'].map((id) => document.getElementById(id).getBoundingClientRect()))"
    )
    for kind, to in (("Pressed", x), ("Moved", x + 3), ("Moved", x + by / 2 * width)):
        at = {"x": to, "y": y, "button": "left", "buttons": 1, "clickCount": 1}
        browser.call("Input.dispatchMouseEvent", type=f"mouse{kind}", **at)
    browser.call("Input.dispatchMouseEvent", type="mouseReleased", x=to, y=y, button="left")


def saved(browser: Browser, folder: Path) -> tuple[str, list[dict[str, Any]]]:
    """Export as a person does, and read the file that the browser has put there."""
    browser.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
    if not browser.value("document.getElementById('name').value"):
        browser.write("#name", "Ana Núñez")
        browser.press("Enter")
    browser.press("x")
    name = shown(browser, "status").split(" a ")[1].split(";")[0]
    browser.until(f"{shown(browser, 'unsaved')!r} === ''")
    limit = time.monotonic() + 20
    # The browser brings it there by and by, and under its name when it is whole.
    while not (folder / name).is_file() and time.monotonic() < limit:
        time.sleep(0.02)
    tasks: list[dict[str, Any]] = json.loads((folder / name).read_text("utf-8"))
    return name, tasks


# ---- ears


def test_a_key_plays_the_stretch_and_another_the_clip(opened: Browser) -> None:
    for key, end in (("r", 1.5), ("w", 2.0)):
        opened.press(key)
        opened.until(PLAYS)
        opened.until(f"!({PLAYS})")
        assert opened.value(HEAD) == pytest.approx(end, abs=0.1)
    assert opened.complaints == []


def test_a_place_in_the_curve_plays_from_there(opened: Browser) -> None:
    opened.click("#sound")
    opened.until(PLAYS)
    opened.until(f"{HEAD} > 1.0")
    opened.press(" ")
    opened.until(f"!({PLAYS})")
    assert 1.0 < opened.value(HEAD) < 1.5


# ---- hands


def test_ends_are_dragged_and_put_back(opened: Browser, tmp_path: Path) -> None:
    drag(opened, "start", 0.25)
    assert float(shown(opened, "start-time").split()[0]) == pytest.approx(0.75, abs=0.02)
    opened.press("ArrowLeft")
    assert float(shown(opened, "start-time").split()[0]) == pytest.approx(0.70, abs=0.02)
    drag(opened, "end", 9.0)
    assert shown(opened, "end-time") == "2.00 s"
    drag(opened, "start", 9.0)
    assert shown(opened, "start-time") == "1.95 s"
    opened.press("z")
    assert (shown(opened, "start-time"), shown(opened, "end-time")) == ("0.50 s", "1.50 s")
    opened.press("a")
    _, (task,) = saved(opened, tmp_path)
    value = task["annotations"][0]["result"][0]["value"]
    assert (value["start"], value["end"]) == (0.5, 1.5)


def test_a_key_that_is_held_down_decides_one_clip(opened: Browser) -> None:
    hold(opened, "a")
    assert shown(opened, "progress").startswith("1 de 3")
    opened.press("e")
    hold(opened, "Enter", modifiers=2)
    assert shown(opened, "progress").startswith("2 de 3")


def test_a_double_click_decides_one_clip(opened: Browser) -> None:
    opened.click("#accept")
    box = "document.getElementById('accept').getBoundingClientRect()"
    x, y = opened.value(f"(({{x, y}}) => [x + 20, y + 20])({box})")
    for kind in ("mousePressed", "mouseReleased"):
        at = {"x": x, "y": y, "button": "left", "clickCount": 2}
        opened.call("Input.dispatchMouseEvent", type=kind, **at)
    assert shown(opened, "progress").startswith("1 de 3")


def test_what_changes_after_it_was_decided_is_open_again(opened: Browser, tmp_path: Path) -> None:
    for key in ("a", "a", "p", "p", "2"):
        opened.press(key)
    assert "decide otra vez" in shown(opened, "status")
    _, tasks = saved(opened, tmp_path)
    assert [task["data"]["external_id"] for task in tasks] == [MADRE.id]


# ---- clocks


def test_who_is_away_does_not_work(opened: Browser, tmp_path: Path) -> None:
    opened.value(LATER.format(ms=20_000))
    opened.press("r")
    opened.value(LATER.format(ms=61_000))
    opened.press("r")
    opened.value(LATER.format(ms=5_000))
    opened.press("a")
    _, (task,) = saved(opened, tmp_path)
    (said,) = task["annotations"]
    assert 25 <= said["lead_time"] < 35
    assert said["created_at"] == said["updated_at"]


# ---- files and windows


def test_the_file_is_named_and_taken_in(
    opened: Browser, workspace: Workspace, cli: Cli, tmp_path: Path
) -> None:
    opened.press("a")
    name, _ = saved(opened, tmp_path)
    assert name.startswith("cante_Ana-Nunez_")
    assert cli("annotate", "pull", tmp_path / name).code == 0
    (said,) = workspace.store.annotations()
    assert (said.utterance, said.annotator) == (PENA.id, "Ana Núñez")
    told = cli("annotate", "pull", tmp_path / name, "--watch", "5")
    assert told.code == 2
    assert "files are read without a server: name them alone" in told.err


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("no JSON", "no es un archivo exportado"),
        ("{}", "no es un archivo exportado"),
        ('[{"annotations": [{"completed_by": {"email": "eva"}}]}]', "es de eva"),
        ('[{"annotations": [{"completed_by": {"email": "ana"}}]}, 1]', "0 fragmentos leídos"),
    ],
)
def test_what_is_no_export_of_this_person_changes_nothing(
    opened: Browser, tmp_path: Path, written: str, reason: str
) -> None:
    opened.write("#name", "ana")
    path = tmp_path / "in.json"
    path.write_text(written, "utf-8")
    document = opened.call("DOM.getDocument")["root"]["nodeId"]
    box = opened.call("DOM.querySelector", nodeId=document, selector="#file")["nodeId"]
    opened.call("DOM.setFileInputFiles", nodeId=box, files=[str(path)])
    opened.until("document.getElementById('status').textContent !== ''")
    assert reason in shown(opened, "status")
    assert shown(opened, "progress").startswith("0 de 3")
    assert opened.complaints == []


def test_times_that_are_none_are_not_taken(opened: Browser, tmp_path: Path) -> None:
    opened.press("a")
    _, (task,) = saved(opened, tmp_path)
    said = task["annotations"][0]
    said["result"][0]["value"]["start"] = "x"
    said["updated_at"] = "2999-01-01T00:00:00.000Z"
    opened.value(
        "(it => { const list = new DataTransfer();"
        f"list.items.add(new File([{json.dumps(json.dumps([task]))}], 'x.json'));"
        "it.files = list.files; it.dispatchEvent(new Event('change')) })"
        "(document.getElementById('file'))"
    )
    opened.until("document.getElementById('status').textContent.includes('x.json')")
    assert "0 fragmentos leídos de x.json, 1 dejados" in shown(opened, "status")


def test_what_went_on_in_another_window_is_not_written_over(
    opened: Browser, tmp_path: Path
) -> None:
    opened.press("a")
    opened.value(
        "(key => { localStorage.setItem(key, JSON.stringify({name: 'ana', at: 2, works: {}}));"
        "window.dispatchEvent(new StorageEvent('storage', {key})) })(localStorage.key(0))"
    )
    assert "otra ventana" in shown(opened, "trouble")
    opened.press("a")
    opened.value(
        "window.addEventListener('beforeunload', (it) => it.stopImmediatePropagation(), true)"
    )
    again = reopened(opened, tmp_path)
    assert shown(again, "progress").startswith("0 de 3")
    assert again.value("document.getElementById('clips').selectedIndex") == 2


def test_leaving_with_what_is_not_exported_is_asked_about(opened: Browser, tmp_path: Path) -> None:
    leave = (
        "(it => { window.dispatchEvent(it); return it.defaultPrevented })"
        "(new Event('beforeunload', {cancelable: true}))"
    )
    assert opened.value(leave) is False
    opened.press("s")
    assert opened.value(leave) is True
    saved(opened, tmp_path)
    assert opened.value(leave) is False


def test_a_browser_that_has_no_storage_says_so_at_once(
    workspace: Workspace, browser: Browser, tmp_path: Path
) -> None:
    page(workspace, tmp_path / "page.html")
    none = "get() { throw new DOMException('no', 'SecurityError') }"
    source = f"Object.defineProperty(window, 'localStorage', {{ {none} }})"
    browser.call("Page.addScriptToEvaluateOnNewDocument", source=source)
    assert "no guarda" in shown(reopened(browser, tmp_path), "trouble")
    browser.press("a")
    assert len(saved(browser, tmp_path)[1]) == 1
    assert browser.complaints == []
