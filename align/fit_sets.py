"""The audio that a recipe names, set by set, each with a key that says what it is made of."""

from __future__ import annotations

import glob
import importlib.util
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from align.augment import Mixing, song_change, spoken, sung_speech, without_voice
from align.fit_data import Song, TimedAudio, music_without_voice, timed
from align.fit_gold import gold, neighbours
from align.recipe import CorpusPart, Recipe, SongsPart, SpeechPart, Way
from align.timed import READERS
from corpus.errors import ConfigError, MissingExtraError, TrainError
from corpus.media import SAMPLE_RATE, hash_file
from corpus.records import content_id
from corpus.workspace import Workspace

__all__ = ["AudioSet", "audio_sets", "held_out"]

Music = Callable[[], list[NDArray[np.float32]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioSet:
    """Audio that is made together; the same key, the same audio."""

    name: str
    key: str
    make: Callable[[], Iterable[TimedAudio]]


def audio_sets(recipe: Recipe, data: Path) -> list[AudioSet]:
    """All that is to be trained on, nothing of it heard yet; `data` is what folders are below.

    Raises ConfigError for a song that is not there, TrainError for a folder that holds
    nothing to train on, MissingExtraError where speech is to get melisma and pyworld is missing.
    """
    _check_world(recipe)
    seed = recipe.fit.seed
    trained = [_trained(part, data) for part in recipe.songs]
    plain = [_plain_songs(songs, part) for songs, part in zip(trained, recipe.songs, strict=True)]
    music = _music_of(recipe.songs, trained, data)
    sets = [*plain, *_copies(recipe.songs, trained, seed)]
    beds = _music_key(recipe.songs, plain, data)
    if recipe.songs:
        sets.append(AudioSet(name="music", key=beds, make=lambda: without_voice(music())))
    for part in recipe.speech:
        sets += [_speech(part, way, data, beds, music, seed) for way in part.ways]
    return sets + [_gold(part, data) for part in recipe.corpus]


def held_out(recipe: Recipe, data: Path) -> list[Song]:
    """The songs that are not trained on, but judged by."""
    return [
        song
        for part in recipe.songs
        for song in (READERS[part.kind](data / part.folder, part.language, part.leave_out))
        if song.name in part.hold_out
    ]


def _check_world(recipe: Recipe) -> None:
    """Told before hours of listening, and not after."""
    wanted = any("melisma" in part.ways for part in recipe.speech)
    if wanted and importlib.util.find_spec("pyworld") is None:
        raise MissingExtraError("fit", "pyworld")


# ---- songs


def _trained(part: SongsPart, data: Path) -> list[Song]:
    folder = data / part.folder
    for name in (*part.leave_out, *part.hold_out):
        if not (folder / name).is_dir() and not any(folder.glob(f"{glob.escape(name)}.*")):
            raise ConfigError(f"there is no song '{name}' in {folder}: name it as it is there")
    return READERS[part.kind](folder, part.language, (*part.leave_out, *part.hold_out))


def _plain_songs(songs: list[Song], part: SongsPart) -> AudioSet:
    return AudioSet(
        name=f"songs of {part.folder}",
        key=content_id("songs", *map(_song_key, songs)),
        make=lambda: timed(songs),
    )


def _song_key(song: Song) -> str:
    """What is sung and when, and the bytes of the audio wherever it stands."""
    return content_id(hash_file(song.audio), repr(replace(song, audio=Path())))


def _copies(
    parts: Sequence[SongsPart], trained: Sequence[list[Song]], seed: int
) -> Iterator[AudioSet]:
    for part, songs in zip(parts, trained, strict=True):
        if part.copies:
            yield AudioSet(
                name=f"songs of {part.folder}, changed",
                key=content_id("changed", str(part.copies), str(seed), *map(_song_key, songs)),
                make=_changed(songs, part.copies, seed),
            )


def _changed(songs: list[Song], copies: int, seed: int) -> Callable[[], Iterator[TimedAudio]]:
    def make() -> Iterator[TimedAudio]:
        rng = np.random.default_rng(seed)
        for _ in range(copies):
            yield from timed(songs, lambda: song_change(rng))

    return make


# ---- music


def _music_of(parts: Sequence[SongsPart], trained: Sequence[list[Song]], data: Path) -> Music:
    """Gives the music of all songs, decoded when it is first asked for.

    Where the lines of an LRC rest, somebody may cry all the same: that is no music.
    """

    @cache
    def music() -> list[NDArray[np.float32]]:
        found: list[NDArray[np.float32]] = []
        for part, songs in zip(parts, trained, strict=True):
            unused = (*part.leave_out, *part.hold_out)
            resting = [] if part.kind == "lrc" else list(timed(songs))
            found += music_without_voice(data / part.folder, resting, unused)
        return found

    return music


def _music_key(parts: Sequence[SongsPart], plain: Sequence[AudioSet], data: Path) -> str:
    found = [path for part in parts for path in _instrumentals(part, data)]
    return content_id("music", *(one.key for one in plain), *map(hash_file, found))


def _instrumentals(part: SongsPart, data: Path) -> list[Path]:
    unused = (*part.leave_out, *part.hold_out)
    found = sorted((data / part.folder).glob("*/instrumental.*"))
    return [path for path in found if path.parent.name not in unused]


# ---- speech


def _speech(part: SpeechPart, way: Way, data: Path, beds: str, music: Music, seed: int) -> AudioSet:
    folder = data / part.folder
    sentences = spoken(folder)
    absent = next((audio for audio, _ in sentences if not audio.is_file()), None)
    if absent is not None:
        raise TrainError(f"{absent} is named in metadata.csv, but is not there")
    mixing = Mixing(beds=part.beds or None, melisma=way == "melisma")

    def make() -> Iterator[TimedAudio]:
        rng = np.random.default_rng(seed + 1)
        made = sung_speech(folder, music() if part.beds else [], mixing, rng, part.language)
        return _first_minutes(made, part.minutes)

    said = [content_id(text, hash_file(audio)) for audio, text in sentences]
    how = repr((mixing, part.minutes, part.language, seed))
    key = content_id("speech", how, beds if part.beds else "", *said)
    return AudioSet(name=f"speech of {part.folder}, {way}", key=key, make=make)


def _first_minutes(made: Iterable[TimedAudio], minutes: float) -> Iterator[TimedAudio]:
    total = 0.0
    for audio in made:
        yield audio
        total += len(audio.samples) / SAMPLE_RATE
        if total > minutes * 60:
            return


# ---- a corpus


def _gold(part: CorpusPart, data: Path) -> AudioSet:
    workspace = Workspace.open(data / part.folder)
    everything = workspace.store.utterances()
    runs = neighbours([one for one in everything if one.recording not in part.hold_out])
    workspace.store.close()
    if not runs:
        raise TrainError(f"{workspace.root} has no gold utterance: let people check some first")
    language = workspace.config.corpus.language
    return AudioSet(
        name=f"corpus {part.folder}",
        key=content_id("gold", language, *map(repr, runs)),
        make=lambda: gold(runs, workspace.media, language),
    )
