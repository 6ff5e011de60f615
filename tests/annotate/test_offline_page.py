"""A page for one person without a server, driven as a person does, and read back as an export."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from annotate import page as module
from annotate.captions import Captions
from annotate.page import Clip, level_of, page, render
from annotate.pull import pull_json
from annotate.stage import known
from annotate.tasks import clips, make_tasks
from corpus.errors import MediaError, UsageError
from corpus.media import flac_bytes
from corpus.records import Annotation, Kind, Utterance, Verdict
from corpus.rows import AlignedRecording
from corpus.workspace import Workspace
from tests.conftest import Cli
from tests.corpus.made import recording, tone, utterance
from tests.servers.browser import Browser

NASTY = "</script><script>window.broken=1</script> <b>ñ</b> e\u0301 😀 \"'&"
UNO = recording("uno", artist="voz", palo="tonás")
PENA = replace(utterance(UNO, "ay pena\nmía", 1.0, 2.0), score=0.2)
MADRE = replace(utterance(UNO, "mare de mi alma", 4.0, 2.0), score=0.5)
OLE = replace(utterance(UNO, "olé", 7.0, 2.0), score=0.8)
KEEP = "URL.createObjectURL = (it) => { window.blobs.push(it); return 'blob:x'; }"


@pytest.fixture
def corpus(workspace: Workspace) -> Workspace:
    path = workspace.media.flac(UNO.id)
    path.parent.mkdir(parents=True)
    path.write_bytes(flac_bytes(tone(UNO.duration)))
    align(workspace, PENA, MADRE, OLE)
    return workspace


def align(workspace: Workspace, *utterances: Utterance) -> None:
    with workspace.store.transaction() as transaction:
        transaction.save([UNO, AlignedRecording(recording=UNO.id, utterances=utterances)])


@pytest.fixture
def opened(corpus: Workspace, browser: Browser, tmp_path: Path) -> Callable[..., Browser]:
    """The page of the corpus in a browser, ready for a person."""

    def show(**size: int) -> Browser:
        page(corpus, tmp_path / "page.html")
        browser.open((tmp_path / "page.html").as_uri(), **size)
        browser.until("document.body.dataset.ready")
        return browser

    return show


def told(browser: Browser) -> str:
    return str(browser.value("document.getElementById('status').textContent"))


def keys(browser: Browser, *pressed: str) -> None:
    for key in pressed:
        browser.press(key)


def type_text(browser: Browser, text: str) -> None:
    keys(browser, "e")
    browser.value("document.getElementById('text').select()")
    browser.call("Input.insertText", text=text)
    keys(browser, "Escape")


def exported(browser: Browser, name: str = "ana@example.org") -> bytes:
    """What the page gives as a file."""
    browser.value("window.blobs = []")
    browser.value(KEEP)
    browser.value(
        f"(it => {{ it.value = {name!r}; it.dispatchEvent(new Event('input')) }})"
        "(document.getElementById('name'))"
    )
    keys(browser, "x")
    browser.until("window.blobs.length > 0")
    browser.value("window.blobs.at(-1).text().then((it) => { window.written = it; })")
    browser.until("window.written")
    return str(browser.value("window.written")).encode()


def said_in(corpus: Workspace, export: bytes) -> dict[str, Annotation]:
    pulled = pull_json(export, known(corpus))
    assert pulled.problems == ()
    return {one.utterance: one for one in pulled.annotations}


# ---- with the keyboard alone


def test_what_a_person_decides_by_keys_comes_back(
    corpus: Workspace, opened: Callable[..., Browser]
) -> None:
    browser = opened()
    type_text(browser, "ay penita\nmía 😀 e\u0301")
    keys(browser, "a")
    browser.until("document.getElementById('text').value === 'mare de mi alma'")
    keys(browser, "f", "1")
    browser.until("document.getElementById('text').value === 'olé'")
    keys(browser, "s")
    browser.until("document.getElementById('unsaved').textContent.startsWith('3')")
    assert browser.complaints == []
    said = said_in(corpus, exported(browser))
    assert {id_: (one.verdict, one.text) for id_, one in said.items()} == {
        PENA.id: (Verdict.CORRECTED, "ay penita\nmía 😀 e\u0301"),
        MADRE.id: (Verdict.FLAGGED, MADRE.text),
        OLE.id: (Verdict.SKIPPED, OLE.text),
    }
    assert said[MADRE.id].remark == "text wrong"
    assert {one.annotator for one in said.values()} == {"ana@example.org"}
    assert browser.value("document.getElementById('unsaved').textContent") == ""
    assert [at for at in browser.asked if not at.startswith(("file:", "blob:", "data:"))] == []


def test_a_person_without_a_mouse_says_who_it_is_and_exports(
    opened: Callable[..., Browser],
) -> None:
    browser = opened()
    keys(browser, "a", "x")
    # Who is asked for a name is where it is written.
    assert "nombre" in told(browser)
    browser.call("Input.insertText", text="ana")
    keys(browser, "Enter", "x")
    assert told(browser).startswith("1 fragmentos exportados a cante_ana_")


def test_ends_and_kinds_by_keys(corpus: Workspace, opened: Callable[..., Browser]) -> None:
    browser = opened()
    keys(browser, "h", "h", "l", "a")
    keys(browser, "2", "a")
    keys(browser, "5", "a")
    said = said_in(corpus, exported(browser))
    first = said[PENA.id]
    assert first.verdict is Verdict.CORRECTED
    assert (first.start, first.end) == pytest.approx((0.9, 3.05))
    assert (said[MADRE.id].verdict, said[MADRE.id].kind) == (Verdict.CORRECTED, Kind.QUEJIO)
    assert said[OLE.id].verdict is Verdict.REJECTED


def test_only_what_was_decided_comes_back(
    corpus: Workspace, opened: Callable[..., Browser]
) -> None:
    browser = opened()
    keys(browser, "x")
    assert "Nada" in told(browser) or "nada" in told(browser)
    type_text(browser, "otra cosa")
    keys(browser, "n", "a")
    said = said_in(corpus, exported(browser))
    assert {id_: one.verdict for id_, one in said.items()} == {MADRE.id: Verdict.RIGHT}


def test_a_text_that_was_emptied_is_not_accepted(opened: Callable[..., Browser]) -> None:
    browser = opened()
    type_text(browser, " ")
    keys(browser, "a")
    assert "Nada cantado" in told(browser)
    assert browser.value("document.getElementById('decided').className") == "decided "


# ---- kept


def test_who_opens_it_again_goes_on(corpus: Workspace, opened: Callable[..., Browser]) -> None:
    browser = opened()
    type_text(browser, "ay penita")
    keys(browser, "a")
    # What is not exported would be lost with the window: the browser asks.
    browser.value(
        "window.addEventListener('beforeunload', (it) => it.stopImmediatePropagation(), true)"
    )
    again = opened()
    assert again.value("document.getElementById('text').value") == MADRE.text
    assert again.value("document.getElementById('progress').textContent").startswith("1 de 3")
    said = said_in(corpus, exported(again))
    assert said[PENA.id].text == "ay penita"
    assert said[PENA.id].seconds >= 0


def test_a_browser_that_keeps_nothing_is_told(opened: Callable[..., Browser]) -> None:
    browser = opened()
    browser.value("Storage.prototype.setItem = () => { throw new Error('full') }")
    keys(browser, "a")
    assert browser.value("document.getElementById('trouble').hidden") is False


def test_what_was_exported_is_taken_up_elsewhere(
    corpus: Workspace, opened: Callable[..., Browser]
) -> None:
    browser = opened()
    type_text(browser, "ay penita")
    keys(browser, "a")
    export = exported(browser).decode()
    browser.value("localStorage.clear()")
    again = opened()
    file = f"new File([{json.dumps(export)}], 'x.json')"
    again.value(
        f"(it => {{ const list = new DataTransfer(); list.items.add({file}); it.files = list.files;"
        " it.dispatchEvent(new Event('change')) })(document.getElementById('file'))"
    )
    again.until("document.getElementById('progress').textContent.startsWith('1 de 3')")
    assert said_in(corpus, exported(again))[PENA.id].text == "ay penita"


# ---- how it looks


@pytest.mark.parametrize(("width", "height"), [(360, 740), (1200, 900)])
def test_nothing_is_cut_off(opened: Callable[..., Browser], width: int, height: int) -> None:
    browser = opened(width=width, height=height)
    assert browser.value("document.documentElement.scrollWidth") <= width
    small = (
        "[...document.querySelectorAll('button')].filter(it => it.offsetParent)"
        ".filter(it => it.getBoundingClientRect().height < 43).length"
    )
    assert width > 400 or browser.value(small) == 0
    nameless = (
        "[...document.querySelectorAll('button, input:not([hidden]), select, textarea')]"
        ".filter(it => !it.innerText && !it.ariaLabel && !it.labels?.length).map(it => it.id)"
    )
    assert browser.value(nameless) == []


@pytest.mark.parametrize(("width", "height", "last"), [(390, 844, "text"), (1280, 800, "kinds")])
def test_all_that_a_clip_asks_for_is_seen_at_once(
    opened: Callable[..., Browser], pictures: Path, width: int, height: int, last: str
) -> None:
    browser = opened(width=width, height=height)
    browser.picture(pictures / f"page-{width}.png")
    edges = (
        "((one, bar) => [one.bottom, bar.top])"
        f"(...['#{last}', '.decide'].map(it => document.querySelector(it).getBoundingClientRect()))"
    )
    bottom, bar = browser.value(edges)
    assert bottom <= bar < height - 44
    assert browser.value("scrollY") == 0


def test_what_others_wrote_is_only_text(
    workspace: Workspace, browser: Browser, tmp_path: Path
) -> None:
    nasty = replace(UNO, title=NASTY, artist=NASTY)
    mine = utterance(nasty, "x", 1.0)
    mine = replace(mine, text=NASTY, words=())
    (task,) = make_tasks(clips([mine], {nasty.id: nasty}), {nasty.id: nasty})
    written = render([Clip(task=task, sound=b"", level=b"")], name=NASTY)
    (tmp_path / "nasty.html").write_text(written, "utf-8")
    browser.open((tmp_path / "nasty.html").as_uri())
    browser.until("document.body.dataset.ready")
    assert browser.value("window.broken") is None
    assert browser.value("document.getElementById('title').textContent") == NASTY
    assert browser.value("document.getElementById('text').value") == NASTY
    assert workspace.store.recordings() == ()


def test_the_words_are_those_of_the_language(corpus: Workspace, tmp_path: Path) -> None:
    page(corpus, tmp_path / "en.html", language="en")
    written = (tmp_path / "en.html").read_text("utf-8")
    assert '<html lang="en">' in written
    assert "Right as it stands" in written
    assert "Está bien así" not in written
    assert 'lang="es" spellcheck="true"' in written


def test_two_hundred_clips_open_at_once(browser: Browser, tmp_path: Path) -> None:
    mine = [utterance(UNO, f"verso {k}", 0.01 * k, 30.0) for k in range(200)]
    recordings = {UNO.id: replace(UNO, duration=100.0)}
    tasks = make_tasks(clips(mine, recordings), recordings, Captions())
    sound = bytes(180_000)  # as long as 30 s of MP3 at 48 kbit/s
    made = [Clip(task=task, sound=sound, level=bytes(1240)) for task in tasks]
    (tmp_path / "many.html").write_text(render(made, name="many"), "utf-8")
    browser.open((tmp_path / "many.html").as_uri())
    browser.until("document.body.dataset.ready")
    # Looser than is wanted, for this machine may do much else meanwhile: bench/page.py measures.
    assert browser.value("Number(document.body.dataset.ready)") < 6000
    assert browser.value("document.getElementById('clips').options.length") == 200


# ---- the stage


def test_what_does_not_fit_is_left_and_told(
    corpus: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Cli
) -> None:
    monkeypatch.setattr(module, "MOST_CLIPS", 2)
    made = cli("annotate", "page", tmp_path / "page.html", "--json").json
    assert (made["tasks"], made["left"], made["seconds"]) == (2, 1, 6.0)
    assert made["size"] == (tmp_path / "page.html").stat().st_size
    assert "1 more" in cli("annotate", "page", tmp_path / "page.html").err
    assert set(corpus.store.done("sent")) == {PENA.id, MADRE.id}


@pytest.mark.parametrize(
    ("name", "minutes", "reason"),
    [("page", "1", "page.html, not page"), ("page.html", "0.01", "there is nothing to hear")],
)
def test_what_makes_no_page(
    corpus: Workspace, tmp_path: Path, name: str, minutes: str, reason: str
) -> None:
    with pytest.raises(UsageError, match=reason):
        page(corpus, tmp_path / name, float(minutes))
    assert not (tmp_path / name).exists()


def test_without_audio_there_is_no_page(corpus: Workspace, tmp_path: Path) -> None:
    corpus.media.flac(UNO.id).unlink()
    with pytest.raises(MediaError, match="is missing"):
        page(corpus, tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


def test_the_level_curve() -> None:
    loud, silent = np.full(16_000, 0.5, np.float32), np.zeros(16_000, np.float32)
    curve = level_of(np.concatenate([loud, silent, loud / 10]))
    assert len(curve) == 120
    assert (curve[0], curve[60], curve[100]) == (100, 0, 60)
    assert level_of(silent) == bytes(40)
    empty: Any = np.zeros(0, np.float32)
    assert level_of(empty) == b""
