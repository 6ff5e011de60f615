"""lhotse's manifests of recordings, supervisions and cuts, with the clips beside them.

Paths are those from the folder: `CutSet.from_file(...).with_recording_path_prefix(folder)`.
"""

from __future__ import annotations

from pathlib import Path

from corpus.publish.formats.base import Part, clip_of, kept
from corpus.publish.formats.lhotse_cuts import SPLITS, recording_of, supervision_of

__all__ = ["exporter"]


class Lhotse:
    """Three manifests a split, named as `lhotse.recipes` reads them."""

    name = "lhotse"
    needs_sound = True

    def write(self, part: Part, folder: Path, at: Path) -> None:  # noqa: ARG002  # paths are relative
        """cante_{recordings,supervisions,cuts}_<split>.jsonl.gz and audio/<split>/."""
        from lhotse import CutSet, MonoCut, RecordingSet, SupervisionSet

        split = SPLITS.get(part.split, part.split)

        def path(kind: str) -> str:
            return str(folder / f"cante_{kind}_{split}.jsonl.gz")

        with (
            RecordingSet.open_writer(path("recordings")) as recordings,
            SupervisionSet.open_writer(path("supervisions")) as supervisions,
            CutSet.open_writer(path("cuts")) as cuts,
        ):
            for row in part.rows:
                clip = clip_of(row)
                recording = recording_of(clip, kept(clip, folder, f"audio/{split}"))
                supervision = supervision_of(row, clip, part.language)
                recordings.write(recording)
                supervisions.write(supervision)
                cut = MonoCut(
                    id=clip.name,
                    start=0.0,
                    duration=clip.seconds,
                    channel=0,
                    recording=recording,
                    supervisions=[supervision],
                )
                cuts.write(cut)


exporter = Lhotse()
