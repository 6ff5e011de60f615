"""Bytes as nobody should send them: what a parser is made for, damaged, and what it is not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

__all__ = ["NASTY", "damaged", "in_json"]

NASTY = (
    *("\0", "\ufeff", "\r\n", "\r", "\n\n", "\t", " ", "\u2028", "\u202e", "\x85", "\x1b[2J"),
    *("../../etc/passwd", "/etc/passwd", "..\\..\\x", "C:\\x", "a/b", "file:///etc/passwd", "~"),
    *("9" * 400, "9" * 5000, "-1", "1e999", "NaN", "0x" + "f" * 5000, "²", "٣", "1/0", "inf", "-0"),
    *("[" * 3000, "{" * 50, "(" * 60, "<b>" * 600, '"', "'", '""', "\\", "\\ud800", "%s", "{}"),
    *("=1+1", "@x", "+1", "-1", "<script>alert(1)</script>", "<!--", "-->", "]]>", "{{", "[["),
    *("x8", "(x8)", "(bis)", "//", "estribillo", "[00:99.999]", "<99:99>", "[offset:" + "9" * 400),
    *("é", "e\u0301" * 20, "ñ", "😀", "\ud7ff", "𝟙", "ß", "İ", "ﬁ", "a" * 3000, "null", "true"),
)
"""Pieces that some parser, somewhere, has choked on."""

_PIECES = st.one_of(
    st.sampled_from([one.encode("utf-8", "surrogatepass") for one in NASTY]),
    st.sampled_from([b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xe9", b"\x80"]),
    st.binary(max_size=8),
    st.integers().map(lambda n: str(n).encode()),
)


@st.composite
def _edited(draw: st.DrawFn, seed: bytes) -> bytes:
    """A seed of which pieces were replaced, put in, left out or doubled."""
    data = seed
    for _ in range(draw(st.integers(1, 4))):
        first = draw(st.integers(0, len(data)))
        last = min(len(data), first + draw(st.integers(0, 12)))
        piece = draw(st.one_of(_PIECES, st.just(b""), st.just(data[first:last] * 3)))
        data = data[:first] + piece + data[last:]
    return data


def damaged(seeds: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Bytes that are like the seeds, or like nothing."""
    edited = st.sampled_from(seeds).flatmap(_edited)
    return st.one_of(edited, edited, st.lists(_PIECES, max_size=8).map(b"".join))


# ---- JSON that is right as JSON, and wrong as what it is taken for

_SURROGATES = st.text(st.characters(codec=None), max_size=6)
_VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.sampled_from([10**400, -1, 0, 1e308, -1e308, float("nan"), float("inf")]),
        st.floats(),
        _SURROGATES,
        st.sampled_from([*NASTY, "\ud800", "a\ud800b"]),
    ),
    lambda inside: st.one_of(
        st.lists(inside, max_size=3), st.dictionaries(_SURROGATES, inside, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def in_json(draw: st.DrawFn, seeds: Sequence[bytes]) -> bytes:
    """A seed of JSON in which some values stand that do not belong there, or are missing."""
    value = json.loads(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(1, 3))):
        value = _changed(draw, value)
    return json.dumps(value).encode("utf-8", "surrogatepass")


def _changed(draw: st.DrawFn, value: Any) -> Any:
    keys = list(value) if isinstance(value, dict) else range(len(value) if _is_list(value) else 0)
    if not keys or draw(st.integers(0, 5)) == 0:
        return draw(_VALUES)
    changed, key = value.copy(), draw(st.sampled_from(list(keys)))
    if isinstance(changed, dict) and draw(st.integers(0, 7)) == 0:
        del changed[key]
    else:
        changed[key] = _changed(draw, changed[key])
    return changed


def _is_list(value: object) -> bool:
    return isinstance(value, list)
