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
    ├── PurgedError           what is to be saved is of something that was purged meanwhile
    ├── PassedOverError       an item is there, and an option says that it is not wanted
    └── MissingExtraError     a package of an optional extra is not installed

A message is one line: what, where, and what to do.  The command line prints it
as it is; the runner keeps it beside the item that failed.

What stands below the first line of each is what a person can do about it: docs/errors.md is
made from that.
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
    "PurgedError",
    "StoreError",
    "TableError",
    "TrainError",
    "UsageError",
    "WorkspaceError",
]


class CanteError(Exception):
    """The root: catch this to catch whatever cante-corpus raises on purpose."""


class UsageError(CanteError):
    """Raised when a command cannot be carried out as it was given; the exit code is 2.

    The message names what is missing or cannot be: give the command again with that put right.
    `--help` behind any command lists what it takes.
    """


class WorkspaceError(UsageError):
    """Raised when no corpus.toml is found upwards of a folder, or one is there already.

    Give the command inside a corpus, or name one with `-w FOLDER`; `corpus init FOLDER` makes one.
    """


class ConfigError(UsageError):
    """Raised when a configuration file has a key or a value that cannot be.

    Correct the key that is named; what is not written has a default. `corpus doctor` names all
    that is wrong in a corpus.toml at once.
    """


class StoreError(CanteError):
    """Raised when the database cannot be opened, read or written.

    See whether the server runs, or who may read the folder. A store of another version of
    cante-corpus is brought up to date by the newer one. Damaged: `corpus restore`.
    """


class MediaError(CanteError):
    """Raised when audio cannot be read, decoded or written.

    Play the file with another program. What is here and damaged comes back by `corpus verify
    --mend`; what was never taken in is collected again once it can be read.
    """


class DiskFullError(MediaError):
    """Raised when the disk has no room for what was to be written; nothing half-written stays.

    Make room and give the same command again: it carries on. `[media] folder` may be on another
    disk, or in a bucket.
    """


class TableError(CanteError):
    """Raised when a CSV or TSV cannot be read or has no rows.

    Save the spreadsheet as CSV in UTF-8, with a header line and a line for each recording.
    """


class LyricsError(CanteError):
    """Raised when a letra cannot be read or has no words.

    Look at the file or page that is named. Other letras were taken in; mended ones are read when
    the command is given again.
    """


class ModelError(CanteError):
    """Raised when a model cannot be found, or a digest shows that its files are damaged.

    The message names where it was looked for, and how it is fetched. Without a network, put its
    folder there, or name one by its path.
    """


class AlignmentError(CanteError):
    """Raised when a text cannot be placed on the audio: too short, silent, or without letters.

    Listen to it. Mostly the text is not what is sung: correct the match (`corpus match-set`), or
    give the text of this recording alone.
    """


class PublishError(CanteError):
    """Raised when there is nothing to publish, or the target folder cannot take it.

    The message counts what stands in the way: correct more, take a lower `--min-tier`, see to
    the rights, or name another release.
    """


class HubError(CanteError):
    """Raised when the hub cannot be reached, refuses, or holds what is not expected there.

    Log in with `hf auth login`, see whether you may write there, and give the same command again:
    what is there is not sent twice.
    """


class AnnotationServerError(CanteError):
    """Raised when Label Studio cannot be started or reached, or refuses what is asked of it.

    Look whether the server runs, and whether address and token are those of this server; then
    give the same command again.
    """


class TrainError(CanteError):
    """Raised when a training or judging run cannot start or go on.

    The message names what stands in the way, in the data, the settings, or the folder of the
    model. A run that was cut off carries on by the same command.
    """


class BackupError(CanteError):
    """Raised when a backup cannot be made or read, or a digest shows that it is damaged.

    Take an older backup, or make a new one: with a file that is damaged nothing is overwritten.
    """


class EngineError(CanteError):
    """Raised when workers cannot begin, or the Ray cluster cannot be reached.

    See that the cluster runs (`ray status`), or do without: `--processes 1`.
    """


class LostError(EngineError):
    """Raised when the worker on an item was lost; the command tells of it at the third time.

    Mostly it was out of memory: take fewer workers, a smaller model or batch, or look what is
    odd about this item.
    """


class PurgedError(CanteError):
    """Raised when something is to be saved of what another command purged meanwhile.

    Nothing: what was purged stays out, and the rest is kept.
    """


class PassedOverError(CanteError):
    """Raised when an option says that an item is not wanted: no failure, and nothing is noted.

    Nothing, if that is what was meant; else take the option away.
    """


class MissingExtraError(CanteError):
    """Raised when a command needs an optional extra that is not installed.

    Install what the message names.
    """

    def __init__(self, extra: str, package: str) -> None:
        super().__init__(
            f"{package} is not installed; this command needs the extra '{extra}': "
            f"pip install 'cante-corpus[{extra}]'"
        )
        self.extra, self.package = extra, package

    def __reduce__(self) -> tuple[type[MissingExtraError], tuple[str, str]]:
        """As it is made: an error of a worker comes back pickled."""
        return type(self), (self.extra, self.package)
