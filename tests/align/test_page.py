from __future__ import annotations

import base64
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import soundfile

from align.page import MOST_EMBEDDED, render, sound
from corpus.errors import MediaError
from corpus.media import decode, flac_bytes
from tests.align import drawn
from tests.servers.browser import Browser

FLAC = "audio.flac"


class Read(HTMLParser):
    """Tags with their attributes, and the text of the page but its scripts and style."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002  # as the parser calls it
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside not in {"script", "style"}:
            self.text += data


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sound of the recording: ticks of a tone."""
    folder = tmp_path_factory.mktemp("media")
    time = np.arange(50 * 16_000) / 16_000
    samples = np.where(time % 1 < 0.1, 0.5 * np.sin(2 * np.pi * 440 * time), 0)
    (folder / FLAC).write_bytes(flac_bytes(samples.astype(np.float32)))
    return folder


@pytest.fixture(scope="module")
def page(media: Path) -> str:
    return render(
        drawn.recording(title=drawn.NASTY),
        drawn.UTTERANCES,
        drawn.level(),
        drawn.voice(),
        audio=sound(media / FLAC, 50, media),
    )


# ---- the sound


def test_the_sound_in_the_page_keeps_its_time(media: Path, tmp_path: Path) -> None:
    address = sound(media / FLAC, 50, tmp_path)
    kind, _, data = address.partition(",")
    assert kind == "data:audio/mpeg;base64"
    assert len(data) < 50 * 8500
    (tmp_path / "a.mp3").write_bytes(base64.b64decode(data))
    decode(tmp_path / "a.mp3", tmp_path / "a.flac")
    heard, _ = soundfile.read(tmp_path / "a.flac")
    onset = int(np.argmax(np.abs(heard[39 * 16_000 + 8000 :]) > 0.1)) - 8000
    assert abs(onset) < 160  # samples: 10 ms


def test_a_long_sound_is_played_from_where_it_is(tmp_path: Path) -> None:
    flac = tmp_path / "media" / "ñ #1 ab.flac"
    assert sound(flac, MOST_EMBEDDED + 1, tmp_path / "show") == "../media/%C3%B1%20%231%20ab.flac"


def test_a_sound_that_cannot_be_read_raises(tmp_path: Path) -> None:
    (tmp_path / FLAC).write_bytes(b"no flac")
    with pytest.raises(MediaError, match=re.escape(str(tmp_path / FLAC))):
        sound(tmp_path / FLAC, 5, tmp_path)


# ---- what is on the page


def test_text_of_others_is_never_markup(page: str) -> None:
    read = Read(page)
    assert drawn.NASTY in read.text
    assert not [tag for tag, held in read.tags if tag == "b" and "onclick" in held]
    assert [tag for tag, _ in read.tags].count("script") == 2


def test_the_page_asks_nothing_of_others(page: str) -> None:
    for _, held in Read(page).tags:
        for name in ("src", "href"):
            assert (held.get(name) or "data:").startswith("data:")
    assert "default-src 'none'" in page


def test_every_utterance_has_a_row_and_the_doubtful_say_so(page: str) -> None:
    rows = re.findall(r'<tr role="row" id="u\d+".*?</tr>', page, re.DOTALL)
    assert len(rows) == len(drawn.UTTERANCES)
    first = Read(rows[1])
    assert "si la mar fuera de tinta" in " ".join(first.text.split())
    for text in ("letra", "silver", "0.90", "c0ffeec0ffee", "0:04.9", "0:08.0"):
        assert text in first.text
    doubted = ["doubtful</span>" in row for row in rows]
    assert doubted == [True, False, True, True, True]


def test_what_is_drawn_is_what_was_given(page: str) -> None:
    told = re.search(r'id="drawn">(.*?)</script>', page, re.DOTALL)
    assert told
    held = json.loads(told[1])
    assert (len(held["level"]), len(held["voice"])) == (500, 500)
    assert (held["level"][0], held["level"][250]) == (67, 0)
    assert held["utterances"][1]["lines"][1]["words"] == [
        ["de", 7.0, 7.45],
        ["tinta", 7.5, 7.95],
    ]


def test_a_page_of_nothing_aligned_says_so() -> None:
    page = render(drawn.recording(), [], drawn.level(), audio="x.flac")
    assert "Nothing is aligned yet" in page
    assert "<table" not in page


# ---- in a browser

NOW = "document.querySelector('#sung .now')?.textContent"
TIME = "document.getElementById('sound').currentTime"
PAUSED = "document.getElementById('sound').paused"


@pytest.fixture
def opened(browser: Browser, page: str, tmp_path: Path) -> Browser:
    (tmp_path / "page.html").write_text(page, "utf-8")
    browser.open((tmp_path / "page.html").as_uri())
    browser.until("document.getElementById('sound').readyState >= 3")
    return browser


def test_words_bars_and_keys_play(opened: Browser) -> None:
    opened.click("#timeline .word[data-start='6.5']")
    opened.until(f"{NOW} === 'fuera'")
    assert not opened.value(PAUSED)
    shown = "[...document.querySelectorAll('.word.now')].map((one) => one.textContent)"
    assert opened.value(shown).count("fuera") == 3  # in the timeline, the table, and on top
    opened.until(f"{TIME} > 6.55")

    opened.press(" ")
    opened.until(PAUSED)
    before = opened.value(TIME)
    opened.press("ArrowRight")
    opened.until(f"Math.abs({TIME} - {before} - 2) < 0.01")
    opened.press("n")
    opened.until(f"!{PAUSED} && {TIME} >= 27.9 && {TIME} < 30")
    opened.press(" ")
    opened.click("#u1 button")
    opened.until(f"!{PAUSED} && {TIME} >= 4.9 && {TIME} < 6")
    opened.click("#timeline .bar-line[data-start='40']")
    opened.until(f"{TIME} >= 40 && {TIME} < 42")

    opened.click("#only")
    rows = "[...document.querySelectorAll('tbody tr')].map((one) => one.offsetHeight > 0)"
    assert opened.value(rows) == [True, False, True, True, True]
    assert opened.complaints == []
    assert not [url for url in opened.asked if not url.startswith(("data:", "file:"))]


@pytest.mark.parametrize("width", [320, 390, 1200])
def test_nothing_stands_out_of_the_window(
    browser: Browser, page: str, tmp_path: Path, width: int
) -> None:
    (tmp_path / "page.html").write_text(page, "utf-8")
    browser.open((tmp_path / "page.html").as_uri(), width=width)
    browser.until("document.querySelectorAll('.row').length > 0")
    assert browser.value("document.documentElement.scrollWidth") <= width
    seconds = browser.value("Number(document.querySelectorAll('.row')[1].dataset.row)")
    assert seconds == {320: 6, 390: 7, 1200: 25}[width]
    assert browser.complaints == []


def test_a_sound_that_is_gone_is_told_of(browser: Browser, tmp_path: Path) -> None:
    page = render(drawn.recording(), drawn.UTTERANCES, drawn.level(), audio="gone.flac")
    (tmp_path / "page.html").write_text(page, "utf-8")
    browser.open((tmp_path / "page.html").as_uri())
    browser.until("!document.getElementById('trouble').hidden")
