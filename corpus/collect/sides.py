"""One side of an LP or cassette into tracks: where it falls silent, and how sure that is.

Surface noise, hiss and hum never reach silence, so everything is judged between
two levels of the side itself: its music and its noise floor.  One permissive pass
finds every gap; of these the best are cuts.  A cante has pauses of its own, so
depth and length count both, and a cut without a gap is never made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from corpus.collect.side_level import SIDE_RATE
from corpus.errors import MediaError

__all__ = ["Cut", "Gap", "Side", "Track", "split_side"]

_DIGITAL = -95.0  # dB: no medium that was played is as quiet as this

_FLOOR_SHARE = 0.5  # per cent of a side that is surely no louder than its noise
_DEEPEST = 60.0  # dB under the music where counting ends: no record is better
_FLAT = 8.0  # dB between music and floor, under which nothing falls silent
_PERMISSIVE, _STRICT = 0.42, 0.27  # shares of the way from the floor up to the music
_BLIP = 0.6  # seconds: what is shorter does not part one gap into two
_SHORTEST = 0.3  # seconds of a gap
_LONGEST = 5.0  # seconds: a longer gap is no better
_CLEAR = 2.0  # seconds of depth that make a gap clear: a pause between coplas has less
_DOUBT = 0.3  # share of its worth by which a cut must beat what would take its place
_MOST_GAPS = 400
_LEAST_TRACK = 60.0  # seconds, where no durations are given
_LEAST_SHARE = 0.6  # of a duration that is given
_OFF = 8.0  # seconds off its given duration that cost a track as much as a clear gap brings
_OFF_MOST = 4.0  # clear gaps: what a track costs at most
_TAIL, _BREATH = 0.5, 0.2  # seconds kept after the end of a track and before its beginning


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Where a side falls quiet: `depth` in dB under its music, `worth` in seconds of full depth."""

    start: float
    end: float
    depth: float
    worth: float

    @property
    def length(self) -> float:
        """Seconds."""
        return self.end - self.start

    @property
    def middle(self) -> float:
        """Half-way, in seconds."""
        return (self.start + self.end) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Where a side is cut, in the middle of a gap; `confidence` in 0..1, and why."""

    at: float
    gap: Gap
    confidence: float
    sure: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One track of a side, silence around it left off.

    `confidence` is that of the less certain of its two ends, `reason` what is said of that end.
    """

    start: float
    end: float
    confidence: float
    reason: str

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.end - self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A side, its level of music and noise in dB, its gaps, and where it is cut."""

    duration: float
    music: float
    floor: float
    gaps: tuple[Gap, ...]
    cuts: tuple[Cut, ...]
    tracks: tuple[Track, ...]
    sure: bool
    reason: str

    @property
    def threshold(self) -> float:
        """The level in dB under which a gap begins."""
        return self.floor + _PERMISSIVE * (self.music - self.floor)


def split_side(
    level: NDArray[np.float32],
    n_tracks: int | None = None,
    durations: Sequence[float] = (),
) -> Side:
    """The tracks of a side, from its level curve (`side_level`).

    With `n_tracks`, the n_tracks - 1 gaps that are worth most together and leave every
    track a minute; with `durations` (seconds, one a track; they may be off by some
    seconds) those that also fit them; with neither, all clear gaps.  A side that has
    too few gaps comes back with fewer tracks and `sure` False.  Raises MediaError
    where nothing is heard, or so many tracks cannot be on the side.
    """
    n_tracks = _counted(n_tracks, durations)
    music, floor, first, last = _levels(level)
    _check_room(last - first, n_tracks, durations)
    heard = level[first:last]
    gaps = _gaps(heard, music, floor, first / SIDE_RATE)
    span = (first / SIDE_RATE, last / SIDE_RATE)
    side = Side(
        duration=len(level) / SIDE_RATE,
        music=music,
        floor=floor,
        gaps=gaps,
        cuts=(),
        tracks=(),
        sure=False,
        reason="",
    )
    cuts = _clear_cuts(gaps, span) if n_tracks is None else _cuts(gaps, span, n_tracks, durations)
    sure, reason = _verdict(side, cuts, n_tracks)
    return replace(side, cuts=cuts, tracks=_tracks(cuts, span), sure=sure, reason=reason)


def _counted(n_tracks: int | None, durations: Sequence[float]) -> int | None:
    if n_tracks is not None and n_tracks < 1:
        raise MediaError(f"a side has at least one track, not {n_tracks}")
    if durations and n_tracks not in {None, len(durations)}:
        raise MediaError(f"{len(durations)} durations were given for {n_tracks} tracks")
    if any(not seconds > 0 for seconds in durations):
        raise MediaError("a track lasts longer than 0 seconds: correct the durations")
    return len(durations) or n_tracks


def _check_room(n_frames: int, n_tracks: int | None, durations: Sequence[float]) -> None:
    least = sum(_least(n_tracks or 1, durations))
    if (n_tracks or 1) > 1 and n_frames / SIDE_RATE < least:
        raise MediaError(
            f"{n_tracks} tracks cannot be on a side of {n_frames / SIDE_RATE:.0f} s: "
            f"they need {least:.0f} s at least"
        )


def _least(n_tracks: int, durations: Sequence[float]) -> list[float]:
    """The fewest seconds of every track."""
    return [_LEAST_SHARE * one for one in durations] or [_LEAST_TRACK] * n_tracks


# ---- music, noise, lead-in and lead-out


def _levels(level: NDArray[np.float32]) -> tuple[float, float, int, int]:
    """Music and floor in dB, and the frames between which the side is not only noise."""
    played = np.flatnonzero(level > _DIGITAL)
    if not len(played):
        raise MediaError("nothing is heard on this side: it is silent from end to end")
    first, last = int(played[0]), int(played[-1]) + 1
    # Twice: leader tape and what a digitiser left before the needle are no noise floor.
    for _ in range(2):
        music, floor = _music_and_floor(level[first:last])
        begin, end = _sounding(level[first:last], floor + _PERMISSIVE * (music - floor))
        first, last = first + begin, first + end
    music, floor = _music_and_floor(level[first:last])
    return music, floor, first, last


def _music_and_floor(level: NDArray[np.float32]) -> tuple[float, float]:
    music = float(np.percentile(level, 60))
    return music, max(float(np.percentile(level, _FLOOR_SHARE)), music - _DEEPEST)


def _sounding(level: NDArray[np.float32], threshold: float) -> tuple[int, int]:
    """The first frame and the one after the last that belong to two seconds mostly of sound."""
    n_frames = min(2 * SIDE_RATE, len(level))
    loud = level >= threshold
    mostly = sliding_window_view(loud, n_frames).mean(axis=1) >= 0.5
    ahead, behind = (
        np.flatnonzero(mostly & loud[: len(mostly)]),
        np.flatnonzero(mostly & loud[n_frames - 1 :]),
    )
    if not len(ahead) or not len(behind) or ahead[0] >= behind[-1] + n_frames:
        return 0, len(level)
    return int(ahead[0]), int(behind[-1]) + n_frames


# ---- gaps


def _gaps(level: NDArray[np.float32], music: float, floor: float, ahead: float) -> tuple[Gap, ...]:
    """Every stretch under the threshold, by time; `ahead` is the second of the first frame."""
    if music - floor < _FLAT:
        return ()
    quiet = level < floor + _PERMISSIVE * (music - floor)
    runs = _joined(_runs(quiet), round(_BLIP * SIDE_RATE))
    long = [run for run in runs if run[1] - run[0] >= _SHORTEST * SIDE_RATE]
    found = [_gap(level, run, music, floor, ahead) for run in long]
    best = sorted(found, key=lambda gap: -gap.worth)[:_MOST_GAPS]
    return tuple(sorted((gap for gap in best if gap.worth > 0), key=lambda gap: gap.start))


def _runs(quiet: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], quiet.astype(np.int8), [0]])))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def _joined(runs: Sequence[tuple[int, int]], blip: int) -> list[tuple[int, int]]:
    """Runs made one where less than a blip parts them, that is shorter than they are."""
    out: list[tuple[int, int]] = []
    for start, end in runs:
        near = out and start - out[-1][1] <= min(blip, end - start, out[-1][1] - out[-1][0])
        out.append((out.pop()[0] if near else start, end))
    return out


def _gap(
    level: NDArray[np.float32], run: tuple[int, int], music: float, floor: float, ahead: float
) -> Gap:
    start, end = run
    inside = level[start:end]
    strict = inside < floor + _STRICT * (music - floor)
    bottom = float(np.median(inside[strict])) if strict.any() else float(inside.min())
    share = np.clip((music - bottom) / (music - floor), 0, 1)
    seconds = min(float(strict.sum()) / SIDE_RATE, _LONGEST)
    return Gap(
        start=ahead + start / SIDE_RATE,
        end=ahead + end / SIDE_RATE,
        depth=music - bottom,
        worth=float(seconds * share),
    )


# ---- which gaps are cuts


def _chain(
    gaps: Sequence[Gap], span: tuple[float, float], n_tracks: int, durations: Sequence[float]
) -> tuple[float, tuple[int, ...]]:
    """The n_tracks - 1 gaps of the greatest worth that leave every track its least length.

    Dynamic programming over tracks and gaps; -inf and nothing where there are none.
    """
    ends = np.array([gap.start for gap in gaps] + [span[1]])
    begins = np.array([span[0]] + [gap.end for gap in gaps])
    worth = np.array([gap.worth for gap in gaps] + [0.0])
    lengths = ends[None] - begins[:, None]  # of a track from after gap i - 1 up to gap j
    least = _least(n_tracks, durations)
    value = np.where(np.arange(len(begins)) == 0, 0.0, -np.inf)
    back = []
    for k in range(n_tracks):
        off = np.abs(lengths - durations[k]) / _OFF if durations else 0 * lengths
        cost = np.minimum(off, _OFF_MOST) * _CLEAR
        total = np.where(lengths >= least[k], value[:, None] - cost, -np.inf)
        back.append(total.argmax(axis=0))
        reached = total.max(axis=0) + worth
        value = np.concatenate([[-np.inf], reached[:-1]])
    if not np.isfinite(reached[-1]):
        return -np.inf, ()
    return float(reached[-1]), _traced(back, len(gaps))


def _traced(back: Sequence[NDArray[np.intp]], n_gaps: int) -> tuple[int, ...]:
    """The gaps of a chain from its last track back to the first."""
    chosen, at = [], n_gaps
    for before in reversed(back[1:]):
        at = int(before[at]) - 1
        chosen.append(at)
    return tuple(reversed(chosen))


def _cuts(
    gaps: Sequence[Gap], span: tuple[float, float], n_tracks: int, durations: Sequence[float]
) -> tuple[Cut, ...]:
    """The best cuts for so many tracks; fewer where the side has not so many gaps."""
    for n_left in range(n_tracks, 0, -1):
        known = durations if n_left == n_tracks else ()
        best, chosen = _chain(gaps, span, n_left, known)
        if np.isfinite(best):
            break
    return tuple(
        _judged(gaps[index], best - _without(gaps, index, span, n_left, known)) for index in chosen
    )


def _without(
    gaps: Sequence[Gap],
    index: int,
    span: tuple[float, float],
    n_tracks: int,
    durations: Sequence[float],
) -> float:
    """What the best cuts are worth together without one of the gaps; 0 where there are none."""
    others = [*gaps[:index], *gaps[index + 1 :]]
    return _chain(others, span, n_tracks, durations)[0]


def _judged(gap: Gap, margin: float) -> Cut:
    """A cut that is better by `margin` than what would take its place."""
    lead = min(1.0, margin / gap.worth)
    clear = min(1.0, gap.worth / _CLEAR)
    told = f"{gap.length:.1f} s quiet, {gap.depth:.0f} dB under the music"
    if lead < _DOUBT:
        reason = f"{told}, but another gap is about as good"
    elif clear < 0.5:
        reason = f"{told}: as little as a pause within a cante"
    else:
        reason = told
    return Cut(
        at=gap.middle,
        gap=gap,
        confidence=round(float(clear * min(1.0, lead / (2 * _DOUBT))), 3),
        sure=lead >= _DOUBT and clear >= 0.5,
        reason=reason,
    )


def _clear_cuts(gaps: Sequence[Gap], span: tuple[float, float]) -> tuple[Cut, ...]:
    """All clear gaps that leave every track a minute, the clearest first."""
    chosen: list[Gap] = []
    for gap in sorted(gaps, key=lambda one: -one.worth):
        edges = [span[0], span[1], *(one.middle for one in chosen)]
        if gap.worth >= _CLEAR and min(abs(gap.middle - edge) for edge in edges) >= _LEAST_TRACK:
            chosen.append(gap)
    return tuple(
        _judged(gap, gap.worth - _CLEAR / 2) for gap in sorted(chosen, key=lambda one: one.start)
    )


def _verdict(side: Side, cuts: Sequence[Cut], n_tracks: int | None) -> tuple[bool, str]:
    """Whether the cuts are sure, and the one line that says so."""
    found = len(cuts) + 1
    if n_tracks is not None and found < n_tracks:
        flat = side.music - side.floor < _FLAT
        why = "it never falls quiet" if flat else "there are no more gaps"
        return False, f"only {found} of {n_tracks} tracks were found: {why}"
    doubted = [cut for cut in cuts if not cut.sure]
    if doubted:
        return False, f"{len(doubted)} of {len(cuts)} cuts are doubtful"
    chosen = {cut.gap for cut in cuts}
    close = [g for g in side.gaps if g not in chosen and g.worth > _CLEAR * (1 - _DOUBT)]
    if n_tracks is None and close:
        return False, f"{len(close)} more gaps may be cuts: say how many tracks there are"
    return True, f"{found} tracks" if cuts else "one track"


def _tracks(cuts: Sequence[Cut], span: tuple[float, float]) -> tuple[Track, ...]:
    """What lies between the cuts; an end of the side itself is as certain as can be."""
    begins = [span[0], *(c.gap.end - min(_BREATH, c.gap.length / 3) for c in cuts)]
    ends = [*(c.gap.start + min(_TAIL, c.gap.length / 3) for c in cuts), span[1]]
    tracks = []
    for k, (start, end) in enumerate(zip(begins, ends, strict=True)):
        around = [*cuts[max(k - 1, 0) : k + 1]] if k else [*cuts[:1]]
        weakest = min(around, key=lambda cut: cut.confidence, default=None)
        tracks.append(
            Track(
                start=start,
                end=end,
                confidence=weakest.confidence if weakest else 1.0,
                reason=weakest.reason if weakest else "the whole side",
            )
        )
    return tuple(tracks)
