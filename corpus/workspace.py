"""One corpus on disk: corpus.toml, the store and the media folder."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from corpus.bucket import Bucket, is_address
from corpus.depot import Depot, FolderDepot
from corpus.errors import ConfigError, StoreError, WorkspaceError
from corpus.media import Media
from corpus.store import Store
from corpus.toml import loads
from corpus.whole import disk_error, writing

__all__ = [
    "CONFIG_NAME",
    "Config",
    "MediaSection",
    "Workspace",
    "config_problems",
    "depot_of",
    "read_config",
    "read_toml",
    "store_url",
    "unknown_key",
    "workspace_root",
]

CONFIG_NAME = "corpus.toml"

_TEMPLATE = """\
# What this corpus is and how it is made.  Every value below is the default:
# change what you need, delete what you do not.

[corpus]
name = {name}
# The language that is sung (ISO 639-1); Whisper and the spelling of numbers follow it.
language = "es"
# Palos, as you name them.  Another singing tradition puts its own genres here.
palos = [
    "fandangos", "tientos y tangos", "soleares", "seguiriyas", "bulerías",
    "cantiñas", "mineros", "cantes de ida y vuelta", "malagueñas y granaínas", "tonás",
]
# Rights of recordings and letras of which nothing else is said.  Unknown means private.
rights = "unknown"

[store]
# SQLite beside this file, or for a team: postgresql+psycopg://user@host/corpus
url = "sqlite:///corpus.db"

[media]
# Originals and 16 kHz mono FLAC: a folder, relative to this file, or a bucket: s3://bucket/corpus
folder = "media"
# Of a bucket, what is used is fetched into this folder: at most so many gigabytes of it.
cache = "cache"
cache_gb = 20.0

[match]
# The Whisper that writes the free draft transcripts: a size, a folder, or a hub name.
draft_model = "base"
# From this score (0 to 1) on, a verse counts as sung without a person looking ...
accept = 0.75
# ... and from this one on, it is put before a person.
review = 0.5

[align]
# "whisper-ctc" is the built-in aligner; or a wav2vec2 CTC model by folder or hub name.
model = "whisper-ctc"
# The Whisper that whisper-ctc listens with; a head for it must be at hand.
encoder = "base"
# Seconds: Whisper hears 30 at a time.
max_seconds = 30.0

[annotate]
# The words that people read while they annotate: "es" or "en".
language = "es"
# What they are asked of a whole recording: where the singer is from ...
regions = [
    "Almería", "Cádiz", "Córdoba", "Extremadura", "Granada", "Huelva", "Jaén", "Jerez",
    "Lebrija y Utrera", "Málaga", "Murcia", "Sevilla", "Triana",
]
# ... and marks from 0 to 2, for faults of the sound and for what accompanies the voice.
quality = ["white noise", "impulse noise", "background", "oversaturation"]
accompaniment = ["guitar", "percussion", "jaleos", "others"]

# Other words for any of these, and for letra, quejío, jaleo, falseta and nothing:
# another singing tradition names what it hears.
[annotate.captions]

[publish]
# Shares of the hours that train, validation and test get; singers are never divided.
train = 0.8
validation = 0.1
test = 0.1
# The licence that people who annotate give their work (a mark, as in cc-by-4.0).
annotations = "unknown"
# For the card: the licence of the whole as the Hugging Face Hub names it (as in cc-by-nc-sa-4.0),
# who takes something down when asked, and how to cite it (BibTeX).
license = ""
contact = ""
citation = ""
"""


class _Section(BaseModel):
    """A misspelt key is an error, not a setting that is silently passed over."""

    model_config = ConfigDict(extra="forbid", frozen=True)


_Share = Annotated[float, Field(ge=0, le=1)]


class CorpusSection(_Section):
    """What the corpus is."""

    name: str = "cante"
    language: str = Field(default="es", min_length=2, max_length=3)
    palos: tuple[str, ...] = ()
    rights: str = "unknown"


class StoreSection(_Section):
    """Where the records are kept."""

    url: str = "sqlite:///corpus.db"


class MediaSection(_Section):
    """Where audio is kept."""

    folder: str = "media"
    cache: Annotated[str, Field(min_length=1)] = "cache"
    cache_gb: Annotated[float, Field(gt=0)] = 20.0

    @field_validator("folder")
    @classmethod
    def _without_password(cls, folder: str) -> str:
        if is_address(folder) and urlsplit(folder).password is not None:
            raise ValueError("leave name and password out: the environment has them")
        return folder


class MatchSection(_Section):
    """How verses are found."""

    draft_model: str = "base"
    accept: _Share = 0.75
    review: _Share = 0.5


class AlignSection(_Section):
    """How text is placed on audio."""

    model: str = "whisper-ctc"
    encoder: str = "base"
    max_seconds: Annotated[float, Field(gt=0, le=30)] = 30.0


_REGIONS = (
    *("Almería", "Cádiz", "Córdoba", "Extremadura", "Granada", "Huelva", "Jaén", "Jerez"),
    *("Lebrija y Utrera", "Málaga", "Murcia", "Sevilla", "Triana"),
)


class AnnotateSection(_Section):
    """What people are asked."""

    language: Literal["es", "en"] = "es"
    regions: tuple[str, ...] = _REGIONS
    quality: tuple[str, ...] = ("white noise", "impulse noise", "background", "oversaturation")
    accompaniment: tuple[str, ...] = ("guitar", "percussion", "jaleos", "others")
    captions: dict[str, str] = {}


class PublishSection(_Section):
    """How a dataset is divided."""

    train: _Share = 0.8
    validation: _Share = 0.1
    test: _Share = 0.1
    annotations: str = "unknown"
    license: Annotated[str, Field(pattern=r"^[a-z0-9.+-]*$")] = ""
    contact: str = ""
    citation: str = ""


class Config(_Section):
    """All of corpus.toml."""

    corpus: CorpusSection = CorpusSection()
    store: StoreSection = StoreSection()
    media: MediaSection = MediaSection()
    match: MatchSection = MatchSection()
    align: AlignSection = AlignSection()
    annotate: AnnotateSection = AnnotateSection()
    publish: PublishSection = PublishSection()


def read_toml(path: Path) -> dict[str, object]:
    """The contents of a TOML file; raises ConfigError when it cannot be read."""
    try:
        found: dict[str, object] = loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    return found


def unknown_key(key: str, known: Collection[str]) -> str:
    """What is said of a key that no setting has: which one may be meant."""
    near = get_close_matches(key, known, 1)
    meant = f"is '{near[0]}' meant?" if near else f"known are {', '.join(known)}"
    return f"unknown key '{key}': {meant}"


def read_config(path: Path) -> Config:
    """The settings of a corpus.toml; raises ConfigError, which names the first that cannot be."""
    if _is_empty(path):
        raise ConfigError(f"{path} is empty: `corpus init` makes it anew, or bring a backup back")
    try:
        return Config.model_validate(read_toml(path))
    except ValidationError as error:
        raise ConfigError(f"{path}: {_problem(error.errors()[0])}") from error


def _is_empty(path: Path) -> bool:
    """Whether a power cut has left nothing of a file; what only has comments is as it should be."""
    with contextlib.suppress(OSError):
        return path.stat().st_size == 0
    return False


def config_problems(path: Path) -> list[str]:
    """All that is wrong with a corpus.toml, a line each; nothing where it can be used."""
    try:
        Config.model_validate(read_toml(path))
    except ConfigError as error:
        return [str(error)]
    except ValidationError as error:
        return [_problem(one) for one in error.errors()]
    return []


def _problem(found: Any) -> str:
    where = [str(part) for part in found["loc"]]
    if found["type"] != "extra_forbidden":
        return f"{'.'.join(where)}: {found['msg'].lower()}"
    *sections, key = where
    return f"{''.join(f'{one}: ' for one in sections)}{unknown_key(key, _known(sections))}"


def _known(sections: Sequence[str]) -> Collection[str]:
    """The keys of a section, or of the whole file."""
    fields = Config.model_fields
    for name in sections:
        fields = fields[name].default.__class__.model_fields
    return fields


def store_url(root: Path, url: str) -> str | sa.URL:
    """The store's address; SQLite's file is meant from the folder of corpus.toml."""
    relative = url.removeprefix("sqlite:///")
    if relative == url or Path(relative).is_absolute():
        return url
    # Built, not joined: a folder's name may hold what means something in a URL.
    return sa.URL.create("sqlite", database=str(root / relative))


def depot_of(root: Path, media: MediaSection) -> Depot:
    """Where the audio of a corpus lies; folders are meant from that of corpus.toml."""
    if is_address(media.folder):
        return Bucket(media.folder, root / media.cache, media.cache_gb * 1e9)
    return FolderDepot(root / media.folder)


def workspace_root(start: Path) -> Path:
    """The folder whose corpus.toml counts in `start`: itself, or the next one above it.

    Raises WorkspaceError when there is none.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / CONFIG_NAME).is_file():
            return folder
    raise WorkspaceError(f"no {CONFIG_NAME} in {start} or above it: make one with `corpus init`")


class Workspace:
    """One corpus on disk.  Open it with `Workspace.open`, make one with `Workspace.create`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.config = read_config(root / CONFIG_NAME)
        self.media = Media(depot_of(root, self.config.media))
        self._seen = _stamp(root / CONFIG_NAME)
        self.store = Store(store_url(root, self.config.store.url), self._check_unmoved)

    @classmethod
    def create(cls, folder: Path) -> Workspace:
        """Make a corpus.toml, an empty store and a media folder in `folder`.

        Raises WorkspaceError when there is a corpus already, ConfigError when that is damaged.
        """
        path = folder / CONFIG_NAME
        if path.exists() and not _is_empty(path):
            read_config(path)
            raise WorkspaceError(f"{path} is there already: this folder holds a corpus")
        root = folder.resolve()
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise disk_error(error, path) from error
        Store(store_url(root, StoreSection().url)).close()
        # Last: with it, this is a corpus, and not made again.
        with writing(path) as scratch:
            scratch.write_text(_TEMPLATE.format(name=_toml_string(root.name or "cante")), "utf-8")
        workspace = cls(root)
        workspace.media.root.mkdir(exist_ok=True)
        return workspace

    @classmethod
    def open(cls, start: Path) -> Workspace:
        """The corpus whose corpus.toml stands in `start` or in a folder above it.

        Raises WorkspaceError when there is none, ConfigError when it says what cannot be.
        """
        return cls(workspace_root(start))

    def _check_unmoved(self) -> None:
        """Raise StoreError where `corpus move` has gone by: what is written here would be lost."""
        stamp = _stamp(self.root / CONFIG_NAME)
        if stamp == self._seen:
            return
        # Somebody who is editing it may leave it for a moment so that it cannot be read.
        with contextlib.suppress(ConfigError):
            now, then = read_config(self.root / CONFIG_NAME), self.config
            if (now.store.url, now.media.folder) != (then.store.url, then.media.folder):
                raise StoreError(f"{self.root} was moved to another place meanwhile: run again")
            self._seen = stamp


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """What tells whether a file was changed; None where it is not there."""
    try:
        told = path.stat()
    except OSError:
        return None
    return told.st_ino, told.st_size, told.st_mtime_ns


def _toml_string(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else "_" for c in escaped) + '"'
