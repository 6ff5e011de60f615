from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from align.fit_gold import gold, neighbours
from corpus.errors import MediaError
from corpus.media import flac_bytes
from corpus.records import Kind, Tier, Utterance
from corpus.workspace import Workspace
from tests.align.timed_made import voiced
from tests.corpus.made import recording, utterance

HERE, THERE = recording("soleá"), recording("tientos")


def checked(text: str, start: float, seconds: float = 1.0, **more: object) -> Utterance:
    return replace(utterance(HERE, text, start, seconds), tier=Tier.GOLD, **more)  # type: ignore[arg-type]  # any field


@pytest.fixture
def kept(workspace: Workspace) -> Workspace:
    path = workspace.media.flac(HERE.id)
    path.parent.mkdir(parents=True)
    path.write_bytes(flac_bytes(voiced(10)))
    return workspace


def test_only_what_people_checked_teaches() -> None:
    silver = replace(utterance(HERE, "todo", 0), tier=Tier.SILVER)
    assert neighbours([silver]) == []
    assert neighbours([checked("todo", 0)]) == [(checked("todo", 0),)]


def test_neighbours_stand_together_unless_something_unchecked_parts_them() -> None:
    first, second, far = checked("todo el", 0), checked("ay pena", 1.5), checked("ay", 4)
    unchecked = utterance(HERE, "sabe dios", 1.1, 0.3)
    elsewhere = replace(checked("y", 0), recording=THERE.id)
    assert neighbours([far, second, first]) == [(first, second), (far,)]
    assert neighbours([first, unchecked, second]) == [(first,), (second,)]
    assert {run[0].recording for run in neighbours([first, elsewhere])} == {HERE.id, THERE.id}


@pytest.mark.parametrize(
    ("one", "teaches"),
    [
        (checked("ay", 0, kind=Kind.QUEJIO), True),
        (checked("", 0, kind=Kind.QUEJIO), False),  # what is sung there has no letters
        (checked("olé", 0, kind=Kind.JALEO), False),
        (checked("", 0, kind=Kind.NOTHING), True),
        (checked("ay", 0, 0.5), False),  # too short to learn from
    ],
)
def test_what_can_teach(one: Utterance, teaches: bool) -> None:
    assert bool(neighbours([one])) is teaches


def test_times_count_from_the_start_of_the_run(kept: Workspace) -> None:
    first, second = checked("todo el\nay", 2, 3), checked("pena", 5.5)
    (made,) = gold([(first, second)], kept.media, "es")
    assert len(made.samples) == round(4.5 * 16000)
    assert np.abs(made.samples - voiced(10)[32000:104000]).max() < 1e-3
    assert [[w.text for w in line] for line in made.lines] == [["todo", "el"], ["ay"], ["pena"]]
    starts = [w.start for line in made.lines for w in line]
    assert starts == pytest.approx([0, 1, 2, 3.5])
    assert np.allclose(made.voice, [(0, 3), (3.5, 4.5)])
    assert np.allclose(made.unsure, [(3, 3.5)])


def test_words_without_times_are_one_of_the_whole_span(kept: Workspace) -> None:
    (made,) = gold([(checked("todo\nel", 2, 3, words=()),)], kept.media, "es")
    ((word,),) = made.lines
    assert (word.text.split(), word.start, word.end) == (["todo", "el"], 0.0, 3.0)
    assert made.unsure == ((0.0, 3.0),)


def test_where_nothing_is_sung_there_is_no_voice(kept: Workspace) -> None:
    (made,) = gold([(checked("", 1, 4, kind=Kind.NOTHING),)], kept.media, "es")
    assert (made.lines, made.voice, made.unsure) == ((), (), ())
    assert made.weight < 1


def test_missing_audio_raises(workspace: Workspace) -> None:
    with pytest.raises(MediaError, match="is missing"):
        list(gold([(checked("ay", 0),)], workspace.media, "es"))
