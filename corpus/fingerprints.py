"""The same master: recordings that are one performance in another encoding, level, trim or speed.

Chromaprint (Jang et al., Pairwise boosted audio fingerprint, IEEE TIFS 2009; by FFmpeg's
muxer) gives 32 bits eight times a second.  It does not survive another speed: half a
per cent turns a fifth of the bits.  So a recording is fingerprinted at nine speeds
from -2 to +2 per cent, and one of them is near enough to whatever copy there is.
"""

from __future__ import annotations

import struct
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from corpus.errors import MediaError
from corpus.media import ffmpeg, has_muxer

__all__ = ["SPEEDS", "fingerprint", "same_master"]

SPEEDS = tuple(1 + k / 200 for k in range(-4, 5))
_PLAIN = SPEEDS.index(1.0)
_SECONDS = 60
_RATE = 22_050

_FEWEST = 60
"""Codes that must overlap, 7.5 s, in which something changes: less is no evidence."""

_BITS = 0.3
"""Share of bits by which copies differ at most; of two performances about 0.47 differ."""

_VOTES = 3
_OFTEN = 64
"""A code that so many places have says nothing: silence, a held note, hum."""

_DRIFT = 4
"""Codes by which a copy at a speed between two of ours runs away in a minute."""

_HEAD = struct.Struct("<HH")

Codes = NDArray[np.uint32]


def fingerprint(path: Path) -> bytes:
    """The first minute of an audio file at each of SPEEDS; b"" for one of less than 10 s.

    Raises MediaError when it cannot be read, or FFmpeg lacks Chromaprint.
    """
    if not has_muxer("chromaprint"):
        raise MediaError("this FFmpeg was built without Chromaprint: install one that has it")
    split = "".join(f"[s{k}]" for k in range(len(SPEEDS)))
    graph = [f"[0:a:0]aformat=channel_layouts=mono,aresample={_RATE}," + _first() + split]
    outputs: list[str] = []
    with tempfile.TemporaryDirectory(prefix="cante-") as folder:
        for k, speed in enumerate(SPEEDS):
            graph.append(f"[s{k}]asetrate={round(_RATE * speed)},aresample=11025[o{k}]")
            form = ["-t", str(_SECONDS), "-f", "chromaprint", "-fp_format", "raw"]
            outputs += ["-map", f"[o{k}]", *form, f"{folder}/{k}"]
        ffmpeg(path, ["-filter_complex", ";".join(graph)], outputs)
        files = [Path(folder) / str(k) for k in range(len(SPEEDS))]
        found = [np.frombuffer(f.read_bytes(), "<u4") if f.is_file() else _NONE for f in files]
    n_codes = min(map(len, found))
    if n_codes < _FEWEST:
        return b""
    codes = np.stack([one[:n_codes] for one in found])
    return _HEAD.pack(*codes.shape) + codes.astype("<u4").tobytes()


_NONE = np.zeros(0, np.uint32)


def _first() -> str:
    """Enough audio that the fastest copy still lasts a minute; the same for each speed."""
    return f"atrim=0:{_SECONDS * 1.05:.0f},asplit={len(SPEEDS)}"


def _unpacked(data: bytes) -> Codes:
    """Codes by speed, (n_speeds, n_codes); none where there is no fingerprint of today's form."""
    n_speeds, n_codes = _HEAD.unpack_from(data) if len(data) >= _HEAD.size else (0, 0)
    if n_speeds != len(SPEEDS) or len(data) != _HEAD.size + 4 * n_speeds * n_codes:
        return np.zeros((len(SPEEDS), 0), np.uint32)
    flat = np.frombuffer(data, "<u4", offset=_HEAD.size)
    return flat.reshape(n_speeds, n_codes).astype(np.uint32)


@dataclass(frozen=True, slots=True)
class _Index:
    """All codes at their own speed, sorted, with the recording and the place of each."""

    codes: Codes
    owners: NDArray[np.int32]
    places: NDArray[np.int32]
    plain: Sequence[Codes]


def same_master(
    fingerprints: Mapping[str, bytes],
    new: Sequence[str] | None = None,
    masters: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The master of each recording that has copies: the id of the first of them.

    `fingerprints` are those of all recordings by id; with `new` only those are looked
    for among all, and `masters` tells what is known of the others.
    """
    ids = list(fingerprints)
    number = {id_: k for k, id_ in enumerate(ids)}
    index = _indexed([_unpacked(fingerprints[id_])[_PLAIN] for id_ in ids])
    parents = list(range(len(ids)))
    for id_, master in (masters or {}).items():
        if id_ in number and master in number:
            _join(parents, number[id_], number[master])
    for id_ in ids if new is None else new:
        speeds = _unpacked(fingerprints[id_])
        for other, speed, offset in _candidates(index, number[id_], speeds):
            if _alike(speeds[speed], index.plain[other], offset):
                _join(parents, number[id_], other)
    roots = [_root(parents, k) for k in range(len(ids))]
    sizes = Counter(roots)
    return {id_: ids[root] for id_, root in zip(ids, roots, strict=True) if sizes[root] > 1}


def _indexed(plain: Sequence[Codes]) -> _Index:
    codes = np.concatenate([_NONE, *plain])
    owners = np.repeat(np.arange(len(plain), dtype=np.int32), [len(one) for one in plain])
    places = np.concatenate([_NONE, *(np.arange(len(one)) for one in plain)]).astype(np.int32)
    order = np.argsort(codes, kind="stable")
    return _Index(codes[order], owners[order], places[order], plain)


def _candidates(index: _Index, mine: int, speeds: Codes) -> Iterator[tuple[int, int, int]]:
    """(recording, speed, offset) with several codes in common that lie on one line."""
    first = np.searchsorted(index.codes, speeds)
    count = np.searchsorted(index.codes, speeds, side="right") - first
    count[count > _OFTEN] = 0
    speed, place = np.nonzero(count)
    if not len(speed):
        return
    times = count[speed, place]
    hits = np.repeat(first[speed, place] - np.cumsum(times) + times, times) + np.arange(times.sum())
    owner = index.owners[hits].astype(np.int64)
    offset = index.places[hits] - np.repeat(place, times)
    keys = (owner * len(SPEEDS) + np.repeat(speed, times)) * 4096 + offset // _DRIFT + 2048
    found, votes = np.unique(keys[owner != mine], return_counts=True)
    for key in found[np.argsort(-votes, kind="stable")][: int((votes >= _VOTES).sum())]:
        rest, step = divmod(int(key), 4096)
        other, which = divmod(rest, len(SPEEDS))
        yield other, which, (step - 2048) * _DRIFT


def _alike(one: Codes, other: Codes, offset: int) -> bool:
    """Whether few bits differ near a line on which they lie, a piece at a time."""
    wrong = n_codes = 0
    for begin in range(0, len(one), _FEWEST):
        piece = one[begin : begin + _FEWEST]
        tried = [_differing(piece, other, begin + offset + k) for k in range(-_DRIFT, 2 * _DRIFT)]
        bits, size = min(tried, key=lambda found: found[0] / found[1] if found[1] else 1.0)
        wrong, n_codes = wrong + bits, n_codes + size
    return n_codes >= _FEWEST and wrong / (32 * n_codes) < _BITS


def _differing(piece: Codes, other: Codes, start: int) -> tuple[int, int]:
    """Bits that differ, and the number of codes compared: those in which something changes."""
    begin = max(0, -start)
    there = other[start + begin : start + len(piece)] if start + begin >= 0 else _NONE
    mine = piece[begin : begin + len(there)]
    if len(mine) < 2:
        return 0, 0
    moving = np.ones(len(mine), bool)
    moving[1:] = (mine[1:] != mine[:-1]) | (there[1:] != there[:-1])
    differing = np.unpackbits((mine ^ there)[moving].view(np.uint8))
    return int(differing.sum()), int(moving.sum())


def _root(parents: list[int], one: int) -> int:
    while parents[one] != one:
        parents[one] = parents[parents[one]]
        one = parents[one]
    return one


def _join(parents: list[int], one: int, other: int) -> None:
    """Two clusters are one, named by its first."""
    first, second = sorted((_root(parents, one), _root(parents, other)))
    parents[second] = first
