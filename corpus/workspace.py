"""One corpus on disk: corpus.toml, the store and the media folder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from corpus.errors import ConfigError, WorkspaceError
from corpus.media import Media, writing
from corpus.store import Store

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["CONFIG_NAME", "Config", "Workspace", "read_toml"]

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
# Originals and 16 kHz mono FLAC; relative to this file.
folder = "media"

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
        found: dict[str, object] = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    return found


def _read_config(path: Path) -> Config:
    try:
        return Config.model_validate(read_toml(path))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{path}: {where}: {first['msg'].lower()}") from error


class Workspace:
    """One corpus on disk.  Open it with `Workspace.open`, make one with `Workspace.create`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.config = _read_config(root / CONFIG_NAME)
        self.media = Media(root / self.config.media.folder)
        self.store = Store(self._store_url())

    def _store_url(self) -> str | sa.URL:
        url = self.config.store.url
        relative = url.removeprefix("sqlite:///")
        if relative == url or Path(relative).is_absolute():
            return url
        # Built, not joined: a folder's name may hold what means something in a URL.
        return sa.URL.create("sqlite", database=str(self.root / relative))

    @classmethod
    def create(cls, folder: Path) -> Workspace:
        """Make a corpus.toml, an empty store and a media folder in `folder`.

        Raises WorkspaceError when there is a corpus already.
        """
        path = folder / CONFIG_NAME
        if path.exists():
            raise WorkspaceError(f"{path} is there already: this folder holds a corpus")
        name = _toml_string(folder.resolve().name or "cante")
        with writing(path) as scratch:
            scratch.write_text(_TEMPLATE.format(name=name), "utf-8")
        workspace = cls(folder.resolve())
        workspace.media.root.mkdir(exist_ok=True)
        return workspace

    @classmethod
    def open(cls, start: Path) -> Workspace:
        """The corpus whose corpus.toml stands in `start` or in a folder above it.

        Raises WorkspaceError when there is none, ConfigError when it says what cannot be.
        """
        start = start.resolve()
        for folder in (start, *start.parents):
            if (folder / CONFIG_NAME).is_file():
                return cls(folder)
        raise WorkspaceError(
            f"no {CONFIG_NAME} in {start} or above it: make one with `corpus init`"
        )


def _toml_string(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else "_" for c in escaped) + '"'
