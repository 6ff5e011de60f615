from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from align.windows import windows


@given(st.integers(0, 5000), st.integers(10, 1500), st.integers(0, 4))
def test_every_frame_is_kept_once_and_away_from_edges(
    n_frames: int, length: int, overlap: int
) -> None:
    found = list(windows(n_frames, length, overlap))
    kept = [frame for w in found for frame in range(w.keep_from, w.keep_to)]
    assert kept == list(range(n_frames))
    for window in found:
        assert window.end - window.begin <= length
        assert window.begin in {0, window.keep_from - overlap}
        assert window.end in {n_frames, window.keep_to + overlap}
        assert range(n_frames)[window.begin : window.end][window.kept] == range(
            window.keep_from, window.keep_to
        )
