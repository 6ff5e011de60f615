"""Which language is sung, where an option does not say it."""

from __future__ import annotations

from pathlib import Path

import typer

__all__ = ["sung_language"]

_ELSE = "es"


def sung_language(
    context: typer.Context, given: str = "", dataset: str | Path | None = None
) -> str:
    """The language that is given; else that of the release, of the corpus here, or Spanish.

    Raises ConfigError where the corpus.toml here cannot be read.
    """
    from corpus.publish.folder import MANIFEST, read_manifest

    if given:
        return given
    if dataset is not None and (Path(dataset) / MANIFEST).is_file():
        # What was released before releases told of it says nothing.
        return read_manifest(Path(dataset)).language or _ELSE
    return _of_the_corpus(context) or _ELSE


def _of_the_corpus(context: typer.Context) -> str:
    """By its settings alone: its store is not opened for that, and there need not be a corpus."""
    from corpus.errors import WorkspaceError
    from corpus.workspace import CONFIG_NAME, read_config, workspace_root

    try:
        root = workspace_root(context.obj["workspace"])
    except WorkspaceError:
        return ""
    return read_config(root / CONFIG_NAME).corpus.language
