"""lhotse Shar: cuts in numbered JSON lines, their sound in archives of the same numbers.

https://lhotse.readthedocs.io/en/latest/datasets.html.  lhotse's own SharWriter decodes and encodes
again; here the clips go in as they are.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

from corpus.publish.formats.base import Clip, Part, clip_of
from corpus.publish.formats.lhotse_cuts import SPLITS, recording_of, supervision_of

if TYPE_CHECKING:
    from lhotse import Recording
    from lhotse.shar.writers import TarWriter

__all__ = ["exporter"]

_SIZE = 1000
"""Cuts of an archive, as lhotse has it: 500 MB at most."""


class Shar:
    """A folder a split."""

    name = "shar"
    needs_sound = True

    def write(self, part: Part, folder: Path, at: Path) -> None:  # noqa: ARG002  # there are no paths in it
        """<split>/cuts.000000.jsonl.gz, <split>/recording.000000.tar and so on."""
        from lhotse import MonoCut
        from lhotse.shar.writers import JsonlShardWriter, TarWriter

        below = folder / SPLITS.get(part.split, part.split)
        below.mkdir()
        # lhotse formats the whole path with the number of the archive.
        pattern = str(below).replace("%", "%%")
        with (
            JsonlShardWriter(f"{pattern}/cuts.%06d.jsonl.gz", shard_size=_SIZE) as cuts,
            TarWriter(f"{pattern}/recording.%06d.tar", shard_size=_SIZE) as archive,
        ):
            for row in part.rows:
                clip = clip_of(row)
                recording = recording_of(clip, "")
                cut = MonoCut(
                    id=clip.name,
                    start=0.0,
                    duration=clip.seconds,
                    channel=0,
                    recording=recording,
                    supervisions=[supervision_of(row, clip, part.language)],
                )
                cuts.write(cut)
                _add(archive, clip, recording)


def _add(archive: TarWriter, clip: Clip, recording: Recording) -> None:
    """The sound, and then what tells of it, as lhotse's AudioTarWriter has them."""
    said = json.dumps(recording.to_dict())
    archive.write(f"{clip.name}{clip.suffix}", io.BytesIO(clip.data))
    archive.write(f"{clip.name}.json", io.BytesIO(said.encode("utf-8")), count=False)


exporter = Shar()
