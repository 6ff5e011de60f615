"""NeMo's manifests: JSON lines beside the clips, whose paths are those from the manifest.

https://docs.nvidia.com/nemo-framework/user-guide/latest/nemotoolkit/asr/datasets.html: keys
`audio_filepath`, `duration` (s) and `text`; NeMo passes over the others.
"""

from __future__ import annotations

from pathlib import Path

from corpus.publish.formats.base import Part, clip_of, kept, rest_of, write_line

__all__ = ["exporter"]


class Nemo:
    """One manifest a split."""

    name = "nemo"
    needs_sound = True

    def write(self, part: Part, folder: Path, at: Path) -> None:  # noqa: ARG002  # paths are relative
        """`<split>_manifest.json` and audio/<split>/."""
        lang = {"lang": part.language} if part.language else {}
        with (folder / f"{part.split}_manifest.json").open("w", encoding="utf-8") as file:
            for row in part.rows:
                clip = clip_of(row)
                write_line(
                    file,
                    audio_filepath=kept(clip, folder, f"audio/{part.split}"),
                    duration=clip.seconds,
                    text=row["text"],
                    **lang,
                    **rest_of(row, "text", "duration"),
                )


exporter = Nemo()
