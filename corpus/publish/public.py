"""Whether everybody may have a release: by the three rights of each of its rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from corpus.errors import PublishError
from corpus.publish.choose import Rights, forbidden
from corpus.publish.folder import data_files, rows_of

__all__ = ["check_public", "rights_of", "shown"]

_COLUMNS = ("rights_audio", "rights_text", "rights_annotation")


def rights_of(folder: Path) -> Counter[Rights]:
    """How many rows of a release have which rights; raises PublishError where it is damaged."""
    found = Counter[Rights]()
    for file in data_files(folder):
        for row in rows_of(file, _COLUMNS):
            audio, text, annotation = (row[name] or "" for name in _COLUMNS)
            found[Rights(audio=audio, text=text, annotation=annotation)] += 1
    return found


def check_public(
    name: str, rights: Mapping[Rights, int], *, sound: bool = True, asked: bool = False
) -> None:
    """Raise PublishError, with the rows by reason, where not everybody may have all rows.

    Without `sound` the release has none to give away; `asked`: who wants it has to ask, and
    somebody lets them in.
    """
    reasons = Counter[str]()
    for one, n_rows in rights.items():
        if reason := forbidden(one, sound=sound, asked=asked):
            reasons[reason] += n_rows
    if reasons:
        told = ", ".join(
            f"{n} by {reason.removeprefix('rights of ')}" for reason, n in sorted(reasons.items())
        )
        raise PublishError(
            f"{name} may not be public ({told}): push it without --public, or make a release "
            f"with {'--gated' if asked else '--public'} of what may"
        )


def shown(rights: Counter[Rights]) -> dict[str, int]:
    """Rows by their rights in words, the most first."""
    return {
        " | ".join((one.audio or "unknown", one.text or "no text", one.annotation or "unknown")): n
        for one, n in rights.most_common()
    }
