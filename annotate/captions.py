"""The words that people read while they annotate, in Spanish and English, and back from them.

What stands in an export is what a person read.  It is understood in every language and in the
words of the corpus's own corpus.toml, whatever is shown now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from corpus.records import Kind
from corpus.text import clean, fold

__all__ = ["MARKS", "Captions", "Said"]


class Said(str, Enum):
    """What a person may say of a region; saying nothing is fine too."""

    RIGHT = "right"
    TEXT_WRONG = "text wrong"
    TIMES_WRONG = "times wrong"
    NOT_SUNG = "not sung"
    OTHER_VERSE = "other verse"


MARKS = ("0", "1", "2")
"""Nothing, a little, much."""

_WORDS: Mapping[str, tuple[str, str]] = {
    Kind.LETRA: ("Letra", "Lyrics"),
    Kind.QUEJIO: ("Quejío", "Cry (quejío)"),
    Kind.JALEO: ("Jaleo", "Shout (jaleo)"),
    Kind.FALSETA: ("Falseta", "Guitar alone (falseta)"),
    Kind.NOTHING: ("Nada cantado", "Nothing sung"),
    Said.RIGHT: ("Bien", "Right"),
    Said.TEXT_WRONG: ("Texto mal", "Text wrong"),
    Said.TIMES_WRONG: ("Tiempos mal", "Times wrong"),
    Said.NOT_SUNG: ("No se canta", "Not sung"),
    Said.OTHER_VERSE: ("Es otra letra", "Another verse"),
    "what is sung": ("Lo que se canta", "What is sung"),
    "how was it": ("¿Cómo estaba este tramo?", "How was this stretch?"),
    "recording": ("Sobre la grabación entera (opcional)", "About the whole recording (optional)"),
    "marks": ("0 nada, 1 algo, 2 mucho", "0 none, 1 some, 2 much"),
    "palo": ("Palo", "Palo"),
    "sex": ("Voz", "Voice"),
    "region": ("Región", "Region"),
    "words": ("Palabras propias de esta cultura", "Words of this culture"),
    "notes": ("Notas", "Notes"),
    "female": ("de mujer", "a woman's"),
    "male": ("de hombre", "a man's"),
    "several": ("varias", "several"),
    "quality": ("Defectos del sonido", "Faults of the sound"),
    "white noise": ("Ruido blanco", "White noise"),
    "impulse noise": ("Chasquidos", "Clicks"),
    "background": ("Ruido de fondo", "Background"),
    "oversaturation": ("Saturación", "Oversaturation"),
    "accompaniment": ("Acompañamiento", "Accompaniment"),
    "guitar": ("Guitarra", "Guitar"),
    "percussion": ("Palmas y percusión", "Palmas and percussion"),
    "jaleos": ("Jaleos", "Jaleos"),
    "others": ("Otros", "Others"),
}
LANGUAGES = ("es", "en")


@dataclass(frozen=True, slots=True)
class Captions:
    """Captions by what they stand for; `own` are a corpus's, and win."""

    language: str = "es"
    own: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        """The caption of a kind, a verdict, a question or an answer; what has none is its own."""
        key = name.value if isinstance(name, Enum) else name
        if self.own.get(key):
            return clean(self.own[key])
        if key in _WORDS:
            return _WORDS[key][LANGUAGES.index(self.language)]
        return key

    def meant(self, caption: str, names: Iterable[str]) -> str | None:
        """Which of the names a caption stands for, in whatever language; None where none."""
        wanted = fold(caption) or caption
        for name in names:
            key = name.value if isinstance(name, Enum) else name
            known = (key, self.own.get(key, ""), *_WORDS.get(key, ()))
            if any(wanted == (fold(one) or one) for one in known if one):
                return key
        return None
