"""Whatever is read, a parser gives records or says in one line why not; and it comes to an end."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.strategies import NASTY, damaged, in_json
from tests.fuzz.targets import TARGETS, read_by

ALL = pytest.mark.parametrize("name", TARGETS)
OF_JSON = ("json", "label-studio", "blogger", "wikitext", "lrclib", "backup-manifest")

quick = settings(
    max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
thorough = settings(quick, max_examples=5000)


class HangsError(BaseException):
    """No parser may catch it."""


@contextlib.contextmanager
def soon(seconds: float = 4.0) -> Iterator[None]:
    """At most so much time of the processor, however much else the machine does."""

    def stop(_: int, frame: FrameType | None) -> None:
        raise HangsError(f"not done after {seconds} s: {frame}")

    if not hasattr(signal, "setitimer"):  # Windows
        yield
        return
    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


@ALL
def test_the_seeds_are_read(name: str) -> None:
    """Else nothing but refusals would be tested."""
    for seed in TARGETS[name].seeds:
        assert read_by(TARGETS[name], seed)


@ALL
@quick
@given(data=st.data())
def test_bytes(name: str, data: st.DataObject) -> None:
    with soon():
        read_by(TARGETS[name], data.draw(damaged(TARGETS[name].seeds)))


@pytest.mark.parametrize("name", OF_JSON)
@quick
@given(data=st.data())
def test_json(name: str, data: st.DataObject) -> None:
    with soon():
        read_by(TARGETS[name], data.draw(in_json(TARGETS[name].seeds)))


@pytest.mark.long
@ALL
@thorough
@given(data=st.data())
def test_many_bytes(name: str, data: st.DataObject) -> None:
    with soon():
        read_by(TARGETS[name], data.draw(damaged(TARGETS[name].seeds)))


@pytest.mark.long
@pytest.mark.parametrize("name", OF_JSON)
@thorough
@given(data=st.data())
def test_much_json(name: str, data: st.DataObject) -> None:
    with soon():
        read_by(TARGETS[name], data.draw(in_json(TARGETS[name].seeds)))


def spoilt(value: Any) -> Iterator[Any]:
    """The value with each of its texts in turn as no database takes it."""
    if isinstance(value, str):
        yield f"\ud800{value}\0"
    elif isinstance(value, list | dict):
        for key in value if isinstance(value, dict) else range(len(value)):
            for bad in spoilt(value[key]):
                changed = value.copy()
                changed[key] = bad
                yield changed


@pytest.mark.parametrize("name", OF_JSON)
def test_no_text_that_cannot_be_stored(name: str) -> None:
    for seed in TARGETS[name].seeds:
        for bad in spoilt(json.loads(seed)):
            read_by(TARGETS[name], json.dumps(bad).encode())


LONG = (
    *(
        "a ",
        "x1 ",
        "  ",
        "(",
        "[",
        "{{",
        "[[",
        "<!--",
        "<ref ",
        "[http://a",
        "(hd ",
        "''",
        "1.",
        "9",
    ),
    *("- ", "//", "a: ", "|", "<pages ", "{|\n", "<br>", "x=", '"', "por ", "(x8)\n", "\n\n(x8)"),
    *(
        "<b>",
        "<h3>",
        "<p>a",
        "<table>",
        "<div><h2>a</h2>",
        "<a ",
        '<a href="x">',
        "a.",
        "a=[",
        '"a",',
    ),
    *(
        "'a',",
        '{"a":',
        "&#",
        "<span style='x'>",
        "estribillo\n",
        ". ,; ",
        "é",
        "\r",
        "<00:01>",
        "[00:01]",
    ),
)


@ALL
def test_long_and_monotonous(name: str) -> None:
    """20 kB of the same: a pattern that tries all ways to divide it would take hours."""
    target = TARGETS[name]
    seed = target.seeds[0]
    for unit in LONG:
        much = (unit * (20_000 // len(unit))).encode()
        for data in (much, seed[: len(seed) // 2] + much + seed[len(seed) // 2 :]):
            with soon():
                read_by(target, data)


@pytest.mark.parametrize("piece", NASTY, ids=lambda piece: ascii(piece)[:20])
def test_a_nasty_piece_anywhere(piece: str) -> None:
    """In place of each line of what a parser is made for."""
    for target in TARGETS.values():
        lines = target.seeds[0].split(b"\n")
        for at in range(min(len(lines), 12)):
            data = [*lines[:at], piece.encode("utf-8", "surrogatepass"), *lines[at + 1 :]]
            with soon():
                read_by(target, b"\n".join(data))


def test_nothing_is_deeper_than_python_can_go() -> None:
    """The stack is as deep as Python allows, and each parser as if it began at its foot."""
    for target in TARGETS.values():
        for unit, end in ((b"[", b"]"), (b'{"a":', b"}"), (b"<b>", b"</b>")):
            for depth in (200, sys.getrecursionlimit() // 2, 20_000):
                with soon():
                    read_by(target, unit * depth + b"1" + end * depth)
