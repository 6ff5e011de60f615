"""Spanish and Andalusian spelling: reading bytes as text, cleaning, folding, letters to listen for.

Text is kept as it came; whatever compares texts folds them first.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

__all__ = ["clean", "decode", "fold", "is_binary", "letters", "spell_out", "stanzas"]

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\ufeff\ud800-\udfff]")
_APOSTROPHES = str.maketrans(dict.fromkeys("’‘ʼ´`′", "'"))
# Letters that do not come apart into a base letter and a mark.
_BARE = "œ=oe æ=ae ß=ss ø=o đ=d ł=l ª=a º=o ı=i ð=d þ=th ŋ=n ħ=h"
_LIGATURES = str.maketrans(dict(pair.split("=") for pair in _BARE.split()))
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def is_binary(data: bytes) -> bool:
    """Whether bytes are no text: a NUL near their beginning, as git has it; UTF-16 has its mark."""
    return b"\0" in data[:8000] and not data.startswith(_UTF16_MARKS)


def decode(data: bytes) -> str:
    """Text from bytes: UTF-8, UTF-16 by its mark, else Windows-1252 (Latin-1 is part of it).

    Line ends become newlines.  Nothing is lost: bytes that Windows-1252 leaves
    undefined are read as Latin-1.
    """
    if data.startswith(_UTF16_MARKS):
        text = data.decode("utf-16", "replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = _decode_western(data)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _decode_western(data: bytes) -> str:
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def clean(text: str) -> str:
    """The text without control characters and outer white space; spelling is not touched."""
    return _CONTROL.sub("", text).strip()


def stanzas(text: str) -> tuple[tuple[str, ...], ...]:
    """The stanzas of a letra (split at blank lines), as tuples of lines; wordless ones go."""
    found: list[tuple[str, ...]] = []
    for block in re.split(r"\n[^\S\n]*\n", text):
        lines = tuple(line for line in map(clean, block.split("\n")) if line)
        if fold(" ".join(lines)):
            found.append(lines)
    return tuple(found)


def fold(text: str) -> str:
    """Words in lower case without accents and punctuation, ñ kept, one space between.

    Composed and decomposed spellings fold to the same.
    """
    composed = unicodedata.normalize("NFC", text).lower()
    plain = composed.translate(_APOSTROPHES).translate(_LIGATURES)
    return " ".join("".join(map(_folded, plain)).split())


@lru_cache(maxsize=4096)
def _folded(char: str) -> str:
    """A letter without its marks; nothing for an apostrophe or a mark, a space for other signs."""
    if char == "ñ":
        return char
    bare = "".join(c for c in unicodedata.normalize("NFD", char) if not unicodedata.combining(c))
    if bare.isalnum():
        return bare
    return " " if bare.strip("'") else ""


@lru_cache(maxsize=4096)
def spell_out(word: str, language: str = "es") -> str:
    """The word with its numbers written out, as they are sung: "3" -> "tres".

    A number that the language has no words for stays as it is.
    """
    if not any(char.isdigit() for char in word):
        return word
    from num2words import num2words  # slow to import, and seldom needed

    def words(found: re.Match[str]) -> str:
        digits = found[0]
        whole = digits.isdigit()
        try:
            number = int(digits) if whole else float(_plain_decimal(digits))
            return " " + str(num2words(number, lang=language)) + " "
        except (NotImplementedError, ValueError, OverflowError, IndexError):
            return digits

    return " ".join(_NUMBER.sub(words, word).split())


def _plain_decimal(digits: str) -> str:
    """'1.234,5' and '0,02' as Python reads them; a dot before three digits parts thousands."""
    whole = re.sub(r"\.(?=\d{3}(?:\D|$))", "", digits)
    return whole.replace(",", ".")


def letters(word: str, language: str = "es") -> str:
    """The letters a-z, ñ and ' to be heard in a word; empty for a bare sign such as a dash."""
    folded = unicodedata.normalize("NFC", spell_out(word, language)).lower()
    folded = folded.translate(_APOSTROPHES).translate(_LIGATURES)
    out = []
    for char in folded:
        base = char if char == "ñ" else unicodedata.normalize("NFD", char)[0]
        if base in "abcdefghijklmnopqrstuvwxyzñ'":
            out.append(base)
    heard = "".join(out)
    return heard if heard.strip("'") else ""
