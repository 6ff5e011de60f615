"""Every error that cante-corpus raises on purpose, in one tree.

    CanteError
    ├── UsageError            the command cannot be carried out as it was given (exit 2)
    │   ├── WorkspaceError    no corpus.toml here, or one where a new corpus was to be made
    │   └── ConfigError       corpus.toml or a training config says something that cannot be
    ├── StoreError            the database cannot be opened, read or written
    ├── MediaError            audio cannot be read, decoded or written
    │   └── DiskFullError     the disk has no room for what was to be written
    ├── TableError            a CSV cannot be read, or has no rows
    ├── LyricsError           a letra cannot be read, or says nothing
    ├── ModelError            a model is not to be had, or its files are not what they should be
    ├── AlignmentError        a text cannot be placed on this audio
    ├── PublishError          nothing may be published, or the folder cannot take it
    ├── HubError              the hub cannot be reached or refuses, or holds something else
    ├── AnnotationServerError Label Studio cannot be started or reached, or refuses what is asked
    ├── TrainError            a training or judging run cannot start or go on
    ├── BackupError           a backup cannot be made or read, or is damaged
    ├── EngineError           workers cannot begin, or the Ray cluster is not to be had
    │   └── LostError         the worker on an item was lost, at the third time for good
    ├── PassedOverError       an item is there, and an option says that it is not wanted
    └── MissingExtraError     a package of an optional extra is not installed

A message is one line: what, where, and what to do.  The command line prints it
as it is; the runner keeps it beside the item that failed.
"""

from __future__ import annotations

__all__ = [
    "AlignmentError",
    "AnnotationServerError",
    "BackupError",
    "CanteError",
    "ConfigError",
    "DiskFullError",
    "EngineError",
    "HubError",
    "LostError",
    "LyricsError",
    "MediaError",
    "MissingExtraError",
    "ModelError",
    "PassedOverError",
    "PublishError",
    "StoreError",
    "TableError",
    "TrainError",
    "UsageError",
    "WorkspaceError",
]


class CanteError(Exception):
    """The root: catch this to catch whatever cante-corpus raises on purpose."""


class UsageError(CanteError):
    """Raised when a command cannot be carried out as it was given; the exit code is 2."""


class WorkspaceError(UsageError):
    """Raised when no corpus.toml is found upwards of a folder, or one is there already."""


class ConfigError(UsageError):
    """Raised when a configuration file has a key or a value that cannot be."""


class StoreError(CanteError):
    """Raised when the database cannot be opened, read or written."""


class MediaError(CanteError):
    """Raised when audio cannot be read, decoded or written."""


class DiskFullError(MediaError):
    """Raised when the disk has no room for what was to be written; nothing half-written stays."""


class TableError(CanteError):
    """Raised when a CSV or TSV cannot be read or has no rows."""


class LyricsError(CanteError):
    """Raised when a letra cannot be read or has no words."""


class ModelError(CanteError):
    """Raised when a model cannot be found, or a digest shows that its files are damaged."""


class AlignmentError(CanteError):
    """Raised when a text cannot be placed on the audio: too short, silent, or without letters."""


class PublishError(CanteError):
    """Raised when there is nothing to publish, or the target folder cannot take it."""


class HubError(CanteError):
    """Raised when the hub cannot be reached, refuses, or holds what is not expected there."""


class AnnotationServerError(CanteError):
    """Raised when Label Studio cannot be started or reached, or refuses what is asked of it."""


class TrainError(CanteError):
    """Raised when a training or judging run cannot start or go on."""


class BackupError(CanteError):
    """Raised when a backup cannot be made or read, or a digest shows that it is damaged."""


class EngineError(CanteError):
    """Raised when workers cannot begin, or the Ray cluster cannot be reached."""


class LostError(EngineError):
    """Raised when the worker on an item was lost; the command tells of it at the third time."""


class PassedOverError(CanteError):
    """Raised when an option says that an item is not wanted: no failure, and nothing is noted."""


class MissingExtraError(CanteError):
    """Raised when a command needs an optional extra that is not installed."""

    def __init__(self, extra: str, package: str) -> None:
        super().__init__(
            f"{package} is not installed; this command needs the extra '{extra}': "
            f"pip install 'cante-corpus[{extra}]'"
        )
        self.extra, self.package = extra, package

    def __reduce__(self) -> tuple[type[MissingExtraError], tuple[str, str]]:
        """As it is made: an error of a worker comes back pickled."""
        return type(self), (self.extra, self.package)
