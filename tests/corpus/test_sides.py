"""LP sides and cassettes: where they are cut, how sure that is, and the verb."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from corpus.collect.side_level import SIDE_RATE
from corpus.collect.sides import Side, split_side
from corpus.collect.tracks import track_id
from corpus.errors import MediaError
from corpus.workspace import Workspace
from tests.conftest import Cli
from tests.corpus.made import MUSIC, NOISE, RATE, Part, curve, write_tone

TRACK: Part = (90, MUSIC)
GAP: Part = (3, NOISE)
PAUSE: Part = (0.8, NOISE)


def cuts(side: Side) -> list[float]:
    return [round(cut.at) for cut in side.cuts]


# ---- cuts


def test_clear_gaps_are_cuts_whether_or_not_their_number_is_known() -> None:
    level = curve(TRACK, GAP, TRACK, GAP, TRACK)
    for side in (split_side(level), split_side(level, 3)):
        assert (cuts(side), side.sure, side.reason) == ([92, 184], True, "3 tracks")
        assert [track.start for track in side.tracks] == pytest.approx([0, 93, 186], abs=0.5)
        assert [track.duration for track in side.tracks] == pytest.approx([90] * 3, abs=1)
        assert min(track.confidence for track in side.tracks) > 0.9
        assert "3.0 s quiet, 35 dB under the music" in side.tracks[0].reason


def test_the_best_gaps_that_leave_room_are_taken() -> None:
    # A gap of 4 s would be worth most, but leaves a track of 30 s.
    level = curve((30, MUSIC), (4, NOISE), (60, MUSIC), GAP, TRACK)
    assert cuts(split_side(level, 2)) == [96]
    assert cuts(split_side(level)) == [96]


@pytest.mark.parametrize(
    "pause", [PAUSE, (6.0, -38.0), (1.5, -45.0)], ids=["silence", "soft guitar", "soft and short"]
)
def test_what_is_quiet_within_a_cante_is_no_gap(pause: Part) -> None:
    part = (60, MUSIC)
    level = curve(part, pause, part, GAP, part, pause, part)
    for side in (split_side(level), split_side(level, 2)):
        assert (len(side.tracks), side.sure) == (2, True)
        assert side.cuts[0].at == pytest.approx(60 + pause[0] + 60 + 1.5, abs=1)


@pytest.mark.parametrize("noise", [-100, -55, -38, -32])
def test_between_tracks_there_may_be_hiss(noise: float) -> None:
    side = split_side(curve(TRACK, (4, noise), TRACK, (3, noise), TRACK), 3)
    assert (cuts(side), side.sure) == ([92, 186], True)


def test_tracks_may_be_soft_and_loud() -> None:
    side = split_side(curve((90, -12), GAP, (90, -26), GAP, (90, -18)), 3)
    assert (cuts(side), side.sure) == ([92, 184], True)


def test_a_gap_that_is_missing_is_told() -> None:
    side = split_side(curve(TRACK, GAP, TRACK, TRACK), 3)
    assert (cuts(side), side.sure) == ([92], False)
    assert side.reason == "only 2 of 3 tracks were found: there are no more gaps"


def test_a_pause_that_stands_for_a_gap_is_doubted() -> None:
    side = split_side(curve(TRACK, GAP, TRACK, PAUSE, TRACK), 3)
    assert (cuts(side), side.sure) == ([92, 183], False)
    assert [cut.sure for cut in side.cuts] == [True, False]
    assert "as little as a pause" in side.cuts[1].reason
    assert side.reason == "1 of 2 cuts are doubtful"
    assert side.tracks[0].confidence > side.tracks[1].confidence == side.tracks[2].confidence


def test_two_gaps_for_one_cut_are_doubted() -> None:
    side = split_side(curve(TRACK, GAP, TRACK, GAP, TRACK), 2)
    assert not side.sure
    assert "another gap is about as good" in side.cuts[0].reason


def test_without_a_number_what_may_be_a_gap_is_told() -> None:
    side = split_side(curve(TRACK, GAP, TRACK, (1.7, NOISE), TRACK))
    assert (cuts(side), side.sure) == ([92], False)
    assert side.reason == "1 more gaps may be cuts: say how many tracks there are"


def test_a_side_that_never_falls_quiet_has_no_cuts() -> None:
    level = curve(TRACK, TRACK)
    side = split_side(level, 2)
    assert (side.gaps, side.cuts, side.sure) == ((), (), False)
    assert side.reason == "only 1 of 2 tracks were found: it never falls quiet"
    assert (split_side(level).reason, split_side(level).sure) == ("one track", True)


def test_one_track_is_one_track_whatever_its_gaps() -> None:
    side = split_side(curve(GAP, TRACK, GAP, TRACK, GAP), 1)
    (track,) = side.tracks
    assert (side.cuts, side.sure, track.confidence) == ((), True, 1.0)
    assert (track.start, track.end) == pytest.approx((3, 186), abs=0.5)
    assert len(split_side(curve((5, MUSIC)), 1).tracks) == 1


@pytest.mark.parametrize("quiet", [-100.0, NOISE], ids=["digital silence", "noise"])
def test_what_comes_before_and_after_the_music_is_left_off(quiet: float) -> None:
    level = curve((20, quiet), TRACK, GAP, TRACK, (40, quiet))
    for side in (split_side(level), split_side(level, 2)):
        assert (cuts(side), side.sure) == ([112], True)
        assert side.tracks[0].start == pytest.approx(20, abs=0.5)
        assert side.tracks[-1].end == pytest.approx(203, abs=0.5)


def test_a_needle_that_is_set_down_is_no_music() -> None:
    side = split_side(curve((5, -100), (0.4, -10), (5, NOISE), TRACK, GAP, TRACK), 2)
    assert side.tracks[0].start == pytest.approx(10.4, abs=0.5)


def test_durations_choose_between_gaps_that_are_alike() -> None:
    level = curve((70, MUSIC), GAP, (80, MUSIC), GAP, (100, MUSIC))
    assert cuts(split_side(level, durations=[156, 97])) == [154]
    side = split_side(level, durations=[68, 185])
    assert (cuts(side), side.sure) == ([72], True)


@pytest.mark.parametrize(
    ("n_tracks", "durations", "told"),
    [
        (0, (), "at least one track, not 0"),
        (-1, (), "at least one track, not -1"),
        (4, (), "4 tracks cannot be on a side of 183 s: they need 240 s at least"),
        (None, (300.0, 300.0), "2 tracks cannot be on a side of 183 s: they need 360 s"),
        (3, (90.0, 90.0), "2 durations were given for 3 tracks"),
        (None, (90.0, 0.0), "longer than 0 seconds"),
        (None, (90.0, float("nan")), "longer than 0 seconds"),
    ],
)
def test_what_cannot_be_is_refused(
    n_tracks: int | None, durations: tuple[float, ...], told: str
) -> None:
    with pytest.raises(MediaError, match=told):
        split_side(curve(TRACK, GAP, TRACK), n_tracks, durations)


@pytest.mark.parametrize("seconds", [0, 0.05, 60])
def test_a_side_on_which_nothing_is_heard_is_refused(seconds: float) -> None:
    silent = np.full(round(seconds * SIDE_RATE), -100, np.float32)
    with pytest.raises(MediaError, match="silent from end to end"):
        split_side(silent)


_PARTS = st.lists(st.tuples(st.floats(0.1, 90), st.floats(-100, 0)), min_size=1, max_size=12)


@settings(max_examples=150)
@given(_PARTS, st.integers(1, 5) | st.none(), st.booleans())
def test_tracks_cover_the_side_in_order(
    parts: list[Part], n_tracks: int | None, with_durations: bool
) -> None:
    level = curve(*parts)
    durations = (
        [len(level) / SIDE_RATE / n_tracks] * n_tracks if with_durations and n_tracks else ()
    )
    try:
        side = split_side(level, n_tracks, durations)
    except MediaError:
        return
    assert side.duration == len(level) / SIDE_RATE
    assert len(side.tracks) == len(side.cuts) + 1 <= (n_tracks or len(side.tracks))
    assert all(0 <= track.start < track.end <= side.duration for track in side.tracks)
    for cut, before, after in zip(side.cuts, side.tracks, side.tracks[1:], strict=False):
        assert cut.gap.start <= before.end <= cut.at <= after.start <= cut.gap.end
    assert all(0 <= track.confidence <= 1 for track in side.tracks)
    if side.sure:
        assert all(cut.sure for cut in side.cuts)
        assert len(side.tracks) == (n_tracks or len(side.tracks))


# ---- the verb


@pytest.fixture(scope="module")
def lp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three tracks of 62 s with 3 s between them, on a record that hisses."""
    rng = np.random.default_rng(0)
    beat = np.repeat(rng.uniform(0.3, 1.0, 62 * 8), RATE // 8)
    track = 0.2 * beat * rng.normal(0, 1, len(beat))
    gap = np.zeros(3 * RATE)
    audio = np.concatenate([gap, track, gap, track, gap, track, gap])
    path = tmp_path_factory.mktemp("lp") / "La Niña - Cara A.flac"
    soundfile.write(path, np.clip(audio + rng.normal(0, 0.002, len(audio)), -1, 1), RATE)
    return path


def titled(*titles: str) -> list[str]:
    return [part for title in titles for part in ("--titles", title)]


def is_png(path: Path) -> bool:
    return Image.open(io.BytesIO(path.read_bytes())).format == "PNG"


def files(workspace: Workspace) -> list[Path]:
    return sorted(path for path in workspace.media.root.rglob("*") if path.is_file())


def test_a_side_becomes_tracks(cli: Cli, workspace: Workspace, lp: Path) -> None:
    titles = titled("Soleá de Alcalá", "El Otro - Tientos (1960)", "Bulerías")
    ran = cli("sides", lp, "--tracks", "3", *titles)
    assert (ran.code, ran.err) == (0, "")
    whole, *tracks = sorted(
        workspace.store.recordings(), key=lambda one: (one.part_of != "", one.offset)
    )
    assert (whole.artist, whole.title) == ("La Niña", "Cara A")
    assert [one.title for one in tracks] == ["Soleá de Alcalá", "Tientos", "Bulerías"]
    assert [one.artist for one in tracks] == ["La Niña", "El Otro", "La Niña"]
    assert [one.palo for one in tracks] == ["soleá", "tientos", "bulerías"]
    assert [one.year for one in tracks] == [None, 1960, None]
    side = workspace.media.samples(whole.id)
    for k, one in enumerate(tracks):
        assert (one.part_of, one.source) == (whole.id, f"{lp}#{k + 1}")
        assert one.offset == pytest.approx(3 + 65 * k, abs=1)
        audio = workspace.media.samples(one.id)
        assert audio.n_samples == round(one.duration * RATE)
        there = side.read(round(one.offset * RATE), audio.n_samples)
        assert np.abs(audio.read(0, audio.n_samples) - there).max() < 1e-4
    (drawn,) = (workspace.root / "sides").iterdir()
    assert drawn.name == f"{whole.id[:12]}.png"
    assert is_png(drawn)
    before, had = workspace.store.recordings(), files(workspace)
    assert cli("sides", lp, "--tracks", "3", *titles).code == 0
    assert (workspace.store.recordings(), files(workspace)) == (before, had)

    # What was noted since stays, and a title is a correction.
    known = replace(next(one for one in before if one.title == "Tientos"), region="Cádiz")
    with workspace.store.transaction() as transaction:
        transaction.save([known])
    assert cli("sides", lp).code == 0
    assert workspace.store.recording(known.id) == known
    assert cli("sides", lp, *titled("Soleá", "Tangos", "Cierre")).code == 0
    changed = replace(known, title="Tangos", palo="tangos")
    assert workspace.store.recording(known.id) == changed

    assert cli("purge", "--recording", known.id, "--yes").code == 0
    again = cli("sides", lp, "--json")
    assert again.code == 0
    assert "sides: track 2 was purged: it is not taken in again" in again.err
    assert again.json["recordings"] == [tracks[0].id, None, tracks[2].id]
    assert workspace.store.recording(known.id) is None
    assert not workspace.media.flac(known.id).is_file()


def test_a_dry_run_takes_nothing_in(cli: Cli, workspace: Workspace, lp: Path) -> None:
    drawn = workspace.root / "a.png"
    ran = cli("sides", lp, "--dry-run", "--json", "-o", drawn)
    assert ran.code == 0
    assert (len(ran.json["tracks"]), ran.json["sure"], ran.json["recordings"]) == (3, True, [])
    assert is_png(drawn)
    assert (workspace.store.recordings(), files(workspace)) == ((), [])
    assert not (workspace.root / "sides").exists()


def test_where_it_is_not_sure_it_asks(cli: Cli, workspace: Workspace, lp: Path) -> None:
    ran = cli("sides", lp, "--tracks", "2")
    assert ran.code == 1
    told = "sides: not sure: 1 of 1 cuts are doubtful"
    assert f"{told}; look at the picture, then give --tracks, --durations or --yes" in ran.err
    assert (workspace.store.recordings(), files(workspace)) == ((), [])
    assert cli("sides", lp, "--tracks", "2", "--json").json["sure"] is False

    yes = cli("sides", lp, "--tracks", "2", "--yes")
    assert (yes.code, yes.err.strip()) == (0, told)
    two = [one for one in workspace.store.recordings() if one.part_of]
    assert sorted(one.title for one in two) == ["Cara A 1", "Cara A 2"]

    known = cli("sides", lp, "--durations", "1:02, 2:07", "--dry-run")
    assert (known.code, known.err) == (0, "")

    # Cut anew, the right way: what the earlier cut left and overlaps is told.
    assert cli("sides", lp, "--tracks", "3").err.count("an earlier cut left") == 1
    (old,) = {one.id for one in two} - set(cli("sides", lp, "--json").json["recordings"])
    assert f"purge --recording {old[:12]}" in cli("sides", lp).err
    assert cli("purge", "--recording", old, "--yes").code == 0
    assert cli("sides", lp).err == ""


def test_titles_are_never_given_to_the_wrong_tracks(
    cli: Cli, workspace: Workspace, tmp_path: Path
) -> None:
    whole = np.random.default_rng(0).normal(0, 0.2, 150 * RATE)
    soundfile.write(tmp_path / "no gap.flac", np.clip(whole, -1, 1), RATE)
    ran = cli("sides", tmp_path / "no gap.flac", *titled("Soleá", "Toná"), "--yes")
    assert ran.code == 2
    assert "only 1 of 2 tracks were found: it never falls quiet: which title" in ran.err
    assert (workspace.store.recordings(), files(workspace)) == ((), [])


def test_a_side_that_cannot_be_cut_is_told(cli: Cli, workspace: Workspace, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silent.wav", np.zeros(RATE), RATE)
    (tmp_path / "no audio.flac").write_text("Cara A", "utf-8")
    (tmp_path / "empty.flac").touch()
    short = write_tone(tmp_path / "short.wav", 20)
    for arguments, code, told in (
        ((tmp_path / "nowhere.flac",), 2, "does not exist"),
        ((tmp_path,), 2, "is a directory"),
        ((tmp_path / "no audio.flac",), 1, "no audio that FFmpeg can read"),
        ((tmp_path / "empty.flac",), 1, "no audio that FFmpeg can read"),
        ((tmp_path / "silent.wav",), 1, "nothing is heard on this side"),
        ((short, "--tracks", "3"), 1, "3 tracks cannot be on a side of 20 s"),
        ((short, "--tracks", "0"), 2, "--tracks"),
        ((short, "--tracks", "3", "--titles", "Soleá"), 2, "3 tracks and 1 titles"),
        ((short, "--tracks", "1", *titled("Soleá", "Toná")), 2, "1 tracks and 2 titles"),
        ((short, "--tracks", "1", "--durations", "0:09 0:11"), 2, "1 tracks and 2 durations"),
        ((short, "--durations", "3.10"), 2, "3.10 is no duration"),
        ((short, "--durations", "0:00 0:11"), 1, "longer than 0 seconds"),
        ((short, "-o", short), 2, "is the side itself"),
        ((short, "-o", short / "a.png"), 1, "cannot write in"),
    ):
        ran = cli("sides", *arguments)
        assert (ran.code, told in ran.err) == (code, True), ran.err
        assert "Traceback" not in ran.err
    assert soundfile.info(short).duration == 20
    assert (workspace.store.recordings(), files(workspace)) == ((), [])


def test_a_side_that_was_purged_stays_away(cli: Cli, workspace: Workspace, tmp_path: Path) -> None:
    short = write_tone(tmp_path / "short.wav", 5)
    assert cli("sides", short, "--tracks", "1").code == 0
    assert cli("purge", "--source", short, "--yes", "--reason", "asked").code == 0
    ran = cli("sides", short, "--tracks", "1")
    assert (ran.code, "(asked): it is not taken in again" in ran.err) == (1, True)
    assert (workspace.store.recordings(), files(workspace)) == ((), [])


def test_a_track_is_named_by_its_side_and_span() -> None:
    assert track_id("ab", 1.0, 2.0) == track_id("ab", 1.0001, 2.0)
    assert track_id("ab", 1.0, 2.0) != track_id("ab", 1.1, 2.0)
    assert len(track_id("ab", 1.0, 2.0)) == 64
