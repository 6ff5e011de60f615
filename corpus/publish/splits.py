"""Splits that no singer is divided by, nor any performance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping

from corpus.errors import PublishError
from corpus.publish.together import Together
from corpus.records import Recording, Utterance, content_id
from corpus.text import fold

__all__ = ["SPLITS", "assign", "groups_of"]

SPLITS = ("train", "test", "validation")
"""In the order in which they are served where there are too few singers for all."""


def groups_of(recordings: Collection[Recording]) -> dict[str, str]:
    """What must stay in one split, by recording.

    Together are recordings of one singer, copies of one master, and a side and its tracks;
    and whatever is together with one of them.
    """
    together = Together()
    for one in recordings:
        for key in _shared_with(one):
            together.join(f"recording {one.id}", key)
    return {one.id: together.top(f"recording {one.id}") for one in recordings}


def _shared_with(recording: Recording) -> Iterator[str]:
    if singer := fold(recording.artist):
        yield f"singer {singer}"
    if recording.master:
        yield f"master {recording.master}"
    if recording.part_of:
        yield f"recording {recording.part_of}"


def assign(
    utterances: Iterable[Utterance],
    recordings: Mapping[str, Recording],
    shares: Mapping[str, float],
) -> dict[str, str]:
    """The split of each utterance, by its id; the same input gives the same splits.

    Whole groups go, in an order that means nothing, to the split that lacks most of
    its share of the seconds; every split with a share gets one group at least while
    there are groups enough.  Raises PublishError when the shares do not add up to 1.
    """
    wanted = {split: shares.get(split, 0.0) for split in SPLITS if shares.get(split, 0.0) > 0}
    if abs(sum(wanted.values()) - 1) > 1e-6:
        raise PublishError(f"the shares of the splits add up to {sum(wanted.values()):.2f}, not 1")
    seconds: dict[str, float] = defaultdict(float)
    members: dict[str, list[str]] = defaultdict(list)
    groups = groups_of(recordings.values())
    for utterance in utterances:
        group = groups[utterance.recording]
        seconds[group] += utterance.duration
        members[group].append(utterance.id)
    split_of = _fill(dict(seconds), wanted)
    return {id_: split_of[group] for group, ids in members.items() for id_ in ids}


def _fill(seconds: Mapping[str, float], wanted: Mapping[str, float]) -> dict[str, str]:
    """The split of each group."""
    total = sum(seconds.values())
    target = {split: share * total for split, share in wanted.items()}
    lacking = dict(target)
    empty = list(wanted)
    split_of: dict[str, str] = {}
    # The order of a hash: neither names nor lengths decide who is judged on.
    order = sorted(seconds, key=content_id)
    for left, group in zip(range(len(order), 0, -1), order, strict=True):
        split = empty[0] if left <= len(empty) else _split_for(seconds[group], lacking, target)
        split_of[group] = split
        lacking[split] -= seconds[group]
        if split in empty:
            empty.remove(split)
    return split_of


def _split_for(seconds: float, lacking: Mapping[str, float], target: Mapping[str, float]) -> str:
    """The split that lacks most for its size and has room; where none has, that lacks most."""
    roomy = [split for split in lacking if seconds <= lacking[split]]
    if roomy:
        return max(roomy, key=lambda split: lacking[split] / target[split])
    return max(lacking, key=lambda split: lacking[split])
