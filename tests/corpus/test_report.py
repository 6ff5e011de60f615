"""The report of a corpus: true to its records, whole in one file, readable anywhere."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.media import flac_bytes
from corpus.records import Annotation, Description, Kind, Recording, Tier, Utterance, Verdict
from corpus.report.facts import Facts, Group, calibration, facts_of, gaps_of, groups_of, wilson
from corpus.rows import AlignedRecording
from corpus.workspace import Workspace
from tests.conftest import Cli
from tests.corpus.made import recording, tone, utterance
from tests.corpus.publishing import said
from tests.servers.browser import Browser

UNO = replace(recording("uno", artist="La Niña"), palo="soleares", year=1935, duration=3600.0)
DOS = replace(recording("dos", artist="Paco"), palo="tonás", year=1962, duration=1800.0)
SIDE = replace(recording("side", artist="Paco"), palo="tonás", duration=7200.0)
TRACK = replace(recording("track", artist="Paco"), palo="tonás", part_of=SIDE.id, duration=900.0)
KNOWN = {one.id: one for one in (UNO, DOS, SIDE, TRACK)}


def cut(of: Recording, seconds: float, tier: Tier = Tier.SILVER, at: float = 0.0) -> Utterance:
    return replace(utterance(of, "ay", at, seconds), tier=tier)


def counted(recordings: Iterable[Recording], utterances: Iterable[Utterance]) -> Facts:
    nothing: dict[str, Any] = {name: {} for name in ("aligned", "marks", "features", "quality")}
    return facts_of(recordings, utterances, annotations=[], **nothing)


# ---- what is counted


def test_hours_are_those_of_recordings_and_utterances() -> None:
    found = groups_of("palo", KNOWN, [cut(UNO, 36.0), cut(UNO, 72.0, Tier.GOLD, 50.0)])
    assert [(one.name, one.recorded) for one in found] == [
        ("soleares", 1.0),
        ("tonás", pytest.approx(0.75)),  # a side is there by its tracks
    ]
    assert found[0].tiers == {"silver": pytest.approx(0.01), "gold": pytest.approx(0.02)}
    assert found[0].checked == pytest.approx(2 / 3)
    assert [round(one.waiting, 6) for one in found] == [0.0, 0.75]
    assert found[1].checked is None


def test_decades_come_in_their_order_and_unknown_last() -> None:
    found = groups_of("decade", {**KNOWN, "x": recording("x")}, [cut(DOS, 9.0)])
    assert [one.name for one in found] == ["1930s", "1960s", ""]


def test_singers_beyond_the_first_go_together() -> None:
    many = [recording(f"r{k}", artist=f"voz {k:02}") for k in range(40)]
    facts = counted(many, [cut(one, 36.0) for one in many])
    assert len(facts.groups["singer"]) == 16
    assert facts.groups["singer"][-1].name == "25 others"
    assert facts.groups["singer"][-1].cut == pytest.approx(0.25)


@given(
    st.lists(
        st.tuples(st.sampled_from([UNO, DOS, TRACK]), st.floats(0.1, 30), st.sampled_from(Tier)),
        max_size=12,
    )
)
def test_parts_add_up_to_the_whole(parts: list[tuple[Recording, float, Tier]]) -> None:
    made = [cut(one, seconds, tier, float(40 * k)) for k, (one, seconds, tier) in enumerate(parts)]
    facts = counted(KNOWN.values(), made)
    whole = sum(one.duration for one in made) / 3600
    for groups in facts.groups.values():
        assert math.isclose(sum(one.cut for one in groups), whole, abs_tol=1e-9)
    assert math.isclose(sum(hours for _, hours in facts.tiers.values()), whole, abs_tol=1e-9)
    assert sum(count for count, _ in facts.tiers.values()) == len(made)


# ---- whether probabilities hold


def judged(of: Utterance, verdict: Verdict, day: int = 1, who: str = "ana") -> Annotation:
    return replace(said(of, who), verdict=verdict, made=f"2026-01-{day:02}T00:00:00+00:00")


def test_the_newest_word_counts_and_what_is_no_word_does_not() -> None:
    one = replace(cut(UNO, 5.0), score=0.93)
    other = replace(cut(UNO, 5.0, at=9.0), score=0.3)
    drawn = replace(cut(UNO, 5.0, at=20.0), score=1.0, corrects="x" * 32)
    aligned = {u.id: u for u in (one, other, drawn)}
    told = calibration(
        aligned,
        [
            judged(one, Verdict.CORRECTED),
            judged(one, Verdict.RIGHT, 2, "luz"),
            judged(one, Verdict.SKIPPED, 3),
            judged(one, Verdict.FLAGGED, 4),
            judged(other, Verdict.REJECTED),
            judged(drawn, Verdict.RIGHT),
            replace(judged(one, Verdict.RIGHT), utterance="gone"),
        ],
    )
    assert [(b.first, b.last, b.judged, b.right) for b in told] == [
        (0.0, 0.5, 1, 0),
        (0.9, 0.95, 1, 1),
    ]


def test_intervals_are_wilsons() -> None:
    # Agresti and Coull (1998): 0 of 10 gives 0 to 0.278; 5 of 10 gives 0.237 to 0.763.
    assert [round(end, 3) for end in wilson(0, 10)] == [0.0, 0.278]
    assert [round(end, 3) for end in wilson(5, 10)] == [0.237, 0.763]
    assert wilson(0, 0) == (0.0, 1.0)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_interval_holds_its_share(counts: tuple[int, int]) -> None:
    hits, tries = counts
    low, high = wilson(hits, tries)
    assert 0 <= low <= hits / tries + 1e-12
    assert hits / tries - 1e-12 <= high <= 1


# ---- what is lacking


def test_what_has_little_is_told_and_whether_it_is_there_to_be_done() -> None:
    more = [replace(recording(f"b{k}"), palo="bulerías", duration=7200.0) for k in range(3)]
    known = {one.id: one for one in (*KNOWN.values(), *more)}
    made = [cut(UNO, 20.0, at=30.0 * k) for k in range(20)] + [cut(more[0], 25.0, at=5.0)]
    found = gaps_of({name: groups_of(name, known, made) for name in ("palo",)} | EMPTY)
    assert [(gap.name, gap.to_collect) for gap in found] == [("tonás", False), ("bulerías", False)]
    short = {one.id: replace(one, duration=min(one.duration, 30.0)) for one in known.values()}
    found = gaps_of({name: groups_of(name, short, made) for name in ("palo",)} | EMPTY)
    assert [(gap.name, gap.to_collect) for gap in found] == [("tonás", True), ("bulerías", True)]


def test_what_is_not_there_at_all_is_lacking_too() -> None:
    nothing: dict[str, Any] = {name: {} for name in ("aligned", "marks", "features", "quality")}
    known = [replace(one, sex="male", region="Jerez") for one in (UNO, DOS)]
    known.append(replace(recording("tres"), region="Triana"))
    wanted = ("Tonás", "bulerías", "soleares", "mineros")
    found = facts_of(known, [cut(UNO, 9.0)], annotations=[], palos=wanted, **nothing)
    assert found.absent == ("bulerías", "mineros")
    assert found.alone == {"sex": "male"}
    assert counted([], []).alone == {}


def test_a_side_and_its_tracks_are_not_counted_twice() -> None:
    # UNO an hour, DOS half of one, and the track; the side is there by its track.
    assert counted(KNOWN.values(), []).hours == pytest.approx(1.75)


EMPTY: dict[str, list[Group]] = {
    name: [] for name in ("singer", "decade", "sex", "region", "quality")
}


def test_equal_parts_are_no_gaps() -> None:
    made = [cut(UNO, 20.0), cut(DOS, 20.0)]
    assert gaps_of({name: groups_of(name, KNOWN, made) for name in ("palo",)} | EMPTY) == []


# ---- the page

SCRIPT = "<script>document.title='x'</script>\nay"


@pytest.fixture
def corpus(workspace: Workspace) -> Workspace:
    for k, known in enumerate((UNO, DOS)):
        one = replace(known, duration=10.0, region="Jerez", title="<b>Cante</b> & 'más' 😀")
        path = workspace.media.flac(one.id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(flac_bytes(tone(10.0, 300.0 + k)))
        first = replace(cut(one, 3.0), text=SCRIPT, words=())
        cry = replace(cut(one, 2.0, at=5.0), kind=Kind.QUEJIO)
        with workspace.store.transaction() as transaction:
            transaction.save([one, AlignedRecording(recording=one.id, utterances=(first, cry))])
            transaction.save([said(first, "ana@example.org")])
            marks = (("white noise", str(k + 1)), ("region", "Jerez"))
            transaction.save(
                [
                    Description(
                        recording=one.id,
                        annotator="ana@example.org",
                        made="2026-01-01T00:00:00+00:00",
                        origin="x",
                        answers=marks,
                    )
                ]
            )
    return workspace


def test_the_page_is_one_file_and_tells_nobodys_name(cli: Cli, corpus: Workspace) -> None:
    ran = cli("report")
    assert ran.code == 0
    assert str(corpus.root / "report.html") in ran.err
    page = (corpus.root / "report.html").read_text("utf-8")
    assert "example.org" not in page
    assert "annotator-" in page
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "not everybody may have" in page
    assert "<strong>Collect another region</strong>: where it is known, it is Jerez" in page
    assert "what there is no recording of: fandangos, tientos y tangos, seguiriyas" in page
    assert page.count("data:audio/mpeg") >= 2
    quiet = cli("report", corpus.root / "quiet.html", "--no-sound")
    assert quiet.code == 0
    text = (corpus.root / "quiet.html").read_text("utf-8")
    assert "data:audio" not in text
    assert "&lt;script&gt;" not in text


def test_the_figures_for_machines(cli: Cli, corpus: Workspace) -> None:
    told = cli("report", "--json").json
    assert told["facts"]["tiers"]["gold"][0] == 2
    assert [one["done"] for one in told["people"]] == [2]
    assert not (corpus.root / "report.html").exists()
    assert {one["mark"]: one["people"] for one in told["facts"]["heat"]} == {
        "white noise": [0, 1, 1]
    }


def test_an_empty_corpus_says_what_to_do(cli: Cli, workspace: Workspace) -> None:
    assert cli("report").code == 0
    page = (workspace.root / "report.html").read_text("utf-8")
    assert "There is nothing in the corpus yet" in page
    assert "Nobody has judged anything yet" in page


def test_sound_that_is_missing_is_no_reason_for_no_report(cli: Cli, corpus: Workspace) -> None:
    corpus.media.flac(UNO.id).unlink()
    assert cli("report").code == 0
    page = (corpus.root / "report.html").read_text("utf-8")
    assert "Its sound is missing." in page
    assert "data:audio/mpeg" in page


def test_a_page_that_cannot_be_written(cli: Cli, corpus: Workspace) -> None:
    (corpus.root / "taken").touch()
    ran = cli("report", corpus.root / "taken" / "report.html")
    assert ran.code == 1
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "light"), (390, "dark")])
def test_it_looks_right_in_a_browser(
    cli: Cli, corpus: Workspace, browser: Browser, pictures: Path, width: int, scheme: str
) -> None:
    cli("report")
    browser.call(
        "Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}]
    )
    browser.open((corpus.root / "report.html").as_uri(), width=width)
    browser.until("document.querySelector('audio').duration > 1")
    assert browser.value("document.documentElement.scrollWidth <= window.innerWidth")
    assert browser.value("document.title") == f"{corpus.config.corpus.name}: report"
    dark = browser.value("getComputedStyle(document.body).backgroundColor") == "rgb(20, 24, 28)"
    assert dark is (scheme == "dark")
    assert browser.complaints == []
    assert [url for url in browser.asked if not url.startswith(("file:", "data:"))] == []
    browser.picture(pictures / f"report-{width}-{scheme}.png")
