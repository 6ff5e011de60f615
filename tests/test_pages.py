"""The pages that are made: other people's text is text there, and nothing runs that is not ours."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from align.page import render as shown
from annotate.page import Clip
from annotate.page import render as to_annotate
from annotate.tasks import clips, make_tasks
from corpus.media import compact, flac_bytes
from corpus.pages import page
from corpus.records import Kind, Tier
from corpus.report.facts import facts_of
from corpus.report.page import Sample
from corpus.report.page import render as reported
from corpus.store import Funnel
from tests.align import drawn
from tests.corpus.made import recording, utterance
from tests.servers.browser import Browser
from tests.train.made import tone
from train.findings import Finding, Judged, Rate, Report
from train.page import write_report

MARK = "letra-de-otro"
NASTY = (
    "<script>window.ran=1</script><img src=x onerror=window.ran=2>"
    "<a href=javascript:window.ran=3>a</a></script></title><svg/onload=window.ran=4>"
    f"{{{{7*7}}}}\"'<style>body{{display:none}}</style>{MARK}"
)
UNO = replace(recording("uno", artist=NASTY), title=NASTY, palo=NASTY)


def of_show(_: Path) -> str:
    said = drawn.untimed(1, 3, NASTY, Kind.LETRA)
    made = drawn.recording(title=NASTY)
    return shown(made, [said], drawn.level(), audio="data:audio/mpeg;base64,")


def of_annotate(folder: Path) -> str:
    flac = folder / "clip.flac"
    flac.write_bytes(flac_bytes(tone(0.5)))
    one = utterance(UNO, NASTY, 1.0, 2.0)
    tasks = make_tasks(clips([one], {UNO.id: UNO}), {UNO.id: UNO})
    clip = Clip(task=tasks[0], sound=compact(flac), level=bytes(40))
    return to_annotate([clip], name=NASTY)


def of_evaluation(folder: Path) -> str:
    rate = Rate(value=0.5, low=0.4, high=0.6, n=10, recordings=2)
    told = Judged(
        row=0,
        reference=f"ay pena {NASTY}",
        hypothesis=NASTY,
        id="a" * 64,
        recording=NASTY,
        kind="letra",
        palo=NASTY,
        singer=NASTY,
        words=9,
        errors=3,
    )
    found = Finding(
        model=NASTY,
        as_sung=rate,
        folded=rate,
        content=rate,
        characters=rate,
        substitutions=1,
        deletions=1,
        insertions=1,
        utterances=(told,),
    )
    report = Report(release=NASTY, split="test", language="es", findings=(found,), notes=(NASTY,))
    return write_report(report, folder / "r", sound=lambda _: tone(0.1)).read_text("utf-8")


def of_report(_: Path) -> str:
    cut = replace(utterance(UNO, NASTY, 1.0, 2.0), tier=Tier.SILVER)
    facts = facts_of([UNO], [cut], annotations=[], aligned={}, marks={}, features={}, quality={})
    funnel = Funnel(
        recordings=1, hours=1.0, verses=1, matched=1, to_review=0, aligned=1, utterances=1,
        corrected=0, published=0, failed=(),
    )  # fmt: skip
    heard = Sample(
        why="surest", title=NASTY, text=NASTY, probability=0.9, tier="silver", sound=b"", free=False
    )
    people = [{"person": NASTY, "done": 1, "right": 1, "minutes": 1.0, "pace": 2.0}]
    return reported(
        NASTY, "es", "2026-01-01", funnel=funnel, facts=facts, people=people, heard=[heard]
    )


PAGES = {
    "show": of_show,
    "annotate": of_annotate,
    "evaluation": of_evaluation,
    "report": of_report,
}
each = pytest.mark.parametrize("make", PAGES.values(), ids=PAGES)
Make = Callable[[Path], str]


@each
def test_only_what_is_named_by_its_digest_is_obeyed(make: Make, tmp_path: Path) -> None:
    html = make(tmp_path)
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)
    assert policy.startswith("default-src 'none'; base-uri 'none'; form-action 'none'; style-src")
    assert "unsafe" not in policy
    assert "http" not in policy
    # Nothing of others stands before it.
    assert html.index("Content-Security-Policy") < html.index("<title>")


@each
def test_text_of_others_is_shown_and_runs_nothing(
    make: Make, browser: Browser, tmp_path: Path
) -> None:
    path = tmp_path / "page.html"
    path.write_text(make(tmp_path), "utf-8")
    browser.open(path.as_uri())
    browser.until(f"document.documentElement.innerHTML.includes({MARK!r})")
    assert browser.value("window.ran") is None
    assert browser.value("document.querySelectorAll('a[href^=javascript], img').length") == 0
    shown_as = browser.value("document.body.innerText + [...document.querySelectorAll('textarea')]"
                             ".map((one) => one.value)")  # fmt: skip
    assert "<script>window.ran=1</script><img src=x onerror=window.ran=2>" in shown_as
    assert "{{7*7}}" in shown_as
    assert browser.complaints == []
    # Our own style is obeyed.
    assert browser.value("getComputedStyle(document.body).fontFamily").startswith("system-ui")
    assert [url for url in browser.asked if not url.startswith(("file:", "data:", "blob:"))] == []


@each
def test_what_got_in_all_the_same_is_not_obeyed(
    make: Make, browser: Browser, tmp_path: Path
) -> None:
    """As if escaping had been forgotten: the policy stands behind it."""
    bad = (
        "<body><p id='in' style='position:fixed'>x</p><style>p{position:fixed}</style>"
        "<script>window.ran=1</script><img src='https://a.example/x' onerror='window.ran=2'>"
        "<base href='https://a.example/'><iframe src='https://a.example/'></iframe>"
        "<button id='b' onclick='window.ran=3'>x</button>"
    )
    path = tmp_path / "page.html"
    path.write_text(make(tmp_path).replace("<body>", bad, 1), "utf-8")
    browser.open(path.as_uri())
    browser.value("document.getElementById('b').click()")
    browser.until("document.readyState === 'complete'")
    assert browser.value("window.ran") is None
    assert browser.value("getComputedStyle(document.getElementById('in')).position") == "static"
    refused = [said for said in browser.complaints if "Content Security Policy" in said]
    for what in ("inline style", "inline script", "event handler", "/x'", "base-uri", "a.example"):
        assert any(what in said for said in refused), (what, refused)


@pytest.mark.parametrize(
    "declaration", ["width: 5%; position: fixed", "x: url(//a)", "x: </style>", "width", "a: b}"]
)
def test_a_look_is_one_plain_declaration(declaration: str, tmp_path: Path,
                                         monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    package = tmp_path / "paged"
    package.mkdir()
    for name, text in (("__init__.py", ""), ("page.css", ""), ("page.html", "{{ look(asked) }}")):
        (package / name).write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert ".look-0 { left: 12.5%; }" in page(
        "paged", written_in="es", title="a", media="'none'", asked="left: 12.5%"
    )
    with pytest.raises(ValueError, match="no declaration of CSS"):
        page("paged", written_in="es", title="a", media="'none'", asked=declaration)


def test_the_curves_of_silence_are_drawn(browser: Browser, tmp_path: Path) -> None:
    """A page without words and sound has nothing to complain of either."""
    path = tmp_path / "page.html"
    path.write_text(
        shown(drawn.recording(), [], np.full(500, -np.inf, np.float32), audio="x.flac"), "utf-8"
    )
    browser.open(path.as_uri())
    browser.until("document.querySelectorAll('.row').length > 0")
    assert not [said for said in browser.complaints if "Security" in said]
