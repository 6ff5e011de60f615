"""The folder of a run that is under way, and the newest checkpoint in it that is whole.

While a run is under way, OUTPUT.part holds what it was asked (run.json) and its
checkpoints.  OUTPUT itself comes into being at the end, whole.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from corpus.errors import TrainError
from corpus.whole import writing
from train.config import TrainConfig

__all__ = [
    "RESULT",
    "begin",
    "clear_old_checkpoints",
    "finished",
    "identity",
    "newest_checkpoint",
    "part_folder",
]

RESULT = "training.json"
"""The file in a finished model's folder that says what was asked and what came of it."""

_RUN = "run.json"
# Where a run happens and where it goes make no other run of it.
_INCIDENTAL = ("output", "device", "save_minutes", "log_to")


def identity(config: TrainConfig, dataset: str, digest: str) -> dict[str, Any]:
    """What makes a run the one it is: its settings and the digest of its training set."""
    settings = {key: value for key, value in asdict(config).items() if key not in _INCIDENTAL}
    return {**settings, "dataset": dataset, "dataset_digest": digest}


def part_folder(output: Path) -> Path:
    """Where the checkpoints of a run lie until it is done."""
    return output.with_name(f"{output.name}.part")


def finished(output: Path, asked: Mapping[str, Any]) -> dict[str, Any] | None:
    """The result of this very run when `output` holds it; None when there is no `output` yet.

    Raises TrainError when something else is there.
    """
    if not output.exists():
        return None
    found = _read(output / RESULT)
    if found is None or found.get("asked") != dict(asked):
        raise TrainError(f"{output} is there and holds something else: take another output")
    result: dict[str, Any] = found["result"]
    return result


def begin(output: Path, asked: Mapping[str, Any]) -> Path:
    """The folder of the run, made or taken up again.

    Raises TrainError when it was begun with other settings or another dataset.
    """
    folder = part_folder(output)
    found = _read(folder / _RUN)
    if found is None:
        shutil.rmtree(folder, ignore_errors=True)
        with writing(folder / _RUN) as path:
            path.write_text(json.dumps(asked, indent=1), "utf-8")
    elif found != dict(asked):
        other = next(key for key in {**asked, **found} if found.get(key) != asked.get(key))
        raise TrainError(
            f"{folder} was begun with another {other}: remove it, or take another output"
        )
    return folder


def newest_checkpoint(folder: Path) -> Path | None:
    """The checkpoint of the most steps that is whole; those cut short by a kill are removed."""
    for path in _newest_first(folder):
        # The trainer writes this file last.
        if _read(path / "trainer_state.json") is not None:
            return path
        shutil.rmtree(path)
    return None


def clear_old_checkpoints(folder: Path, best: Path | None = None) -> None:
    """Remove all but the best and the two newest checkpoints: the last may prove to be damaged."""
    for path in _newest_first(folder)[2:]:
        if best is None or path.name != best.name:
            shutil.rmtree(path)


def _newest_first(folder: Path) -> list[Path]:
    found = folder.glob("checkpoint-*")
    return sorted(found, key=lambda path: int(path.name.split("-")[1]), reverse=True)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found
