"""What is saved is what is read, whatever people write."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.records import Release, ReleasedUtterance
from corpus.rows import AlignedRecording
from corpus.store import Store
from tests.corpus.made import recording, utterance, verse

CINTA = recording("cinta", artist="La Niña")
TEXT = st.text(max_size=12)
LINES = st.lists(TEXT, max_size=3).map(lambda lines: (*lines, "ay"))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    made = Store(f"sqlite:///{tmp_path_factory.mktemp('kept') / 'corpus.db'}")
    yield made
    made.close()


@settings(max_examples=40)
@given(
    title=TEXT,
    lines=LINES,
    extra=st.lists(st.tuples(TEXT, TEXT), max_size=2),
    at=st.floats(0, 5, allow_nan=False),
)
def test_what_is_saved_is_what_is_read(
    kept: Store, title: str, lines: tuple[str, ...], extra: list[tuple[str, str]], at: float
) -> None:
    source = replace(CINTA, title=title, extra=tuple(extra), year=1950)
    one, sung = utterance(source, "\n".join(lines), at), verse(*lines, title=title)
    listed = (ReleasedUtterance(utterance=one.id, split=title),)
    release = Release(name="uno", made="2026-01-02T00:00:00+00:00", utterances=listed)
    aligned = AlignedRecording(recording=source.id, utterances=(one,))
    with kept.transaction() as transaction:
        transaction.save([source, sung, aligned, release])
    assert kept.recordings() == (source,)
    assert kept.utterances() == (one,)
    assert kept.releases() == (release,)
    # An earlier spelling of the same words keeps its place; this one is among the sources.
    (found,) = [one for one in kept.verses() if one.id == sung.id]
    assert sung.sources[0] in found.sources
