"""What the title of a video or a file says: who sings, what, which palo, which year.

Every rule stands in a table: PALOS, and those below it.  What no rule reads stays in
the title as it came.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from corpus.text import clean, fold

__all__ = ["PALOS", "Title", "palo_of", "read_title"]

PALOS = {
    "alboreá": "alborea, alboreas",
    "alegrías": "alegria, alegrias",
    "bambera": "bambera, bamberas",
    "bandolá": "bandola, bandolas",
    "bulerías por soleá": "bulerias por solea, buleria por solea, bulerias al golpe",
    "bulerías": "buleria, bulerias",
    "cabales": "cabal, cabales",
    "campanilleros": "campanillero, campanilleros",
    "cantiñas": "cantina, cantinas",
    "caña": "cana",
    "caracoles": "caracoles",
    "carcelera": "carcelera, carceleras",
    "cartagenera": "cartagenera, cartageneras",
    "colombiana": "colombiana, colombianas",
    "debla": "debla, deblas",
    "fandangos": "fandango, fandangos, fandanguillo, fandanguillos",
    "farruca": "farruca, farrucas",
    "garrotín": "garrotin, garrotines",
    "granaína": "granaina, granainas, granadina, granadinas",
    "guajira": "guajira, guajiras",
    "jabera": "jabera, jaberas",
    "jaleos": "jaleos",
    "levantica": "levantica, levanticas",
    "liviana": "liviana, livianas",
    "malagueña": "malaguena, malaguenas",
    "mariana": "mariana, marianas",
    "martinete": "martinete, martinetes",
    "media granaína": "media granaina, medias granainas, media granadina, medias granadinas",
    "milonga": "milonga, milongas",
    "minera": "minera, mineras",
    "mirabrás": "mirabras",
    "murciana": "murciana, murcianas",
    "nana": "nana, nanas",
    "petenera": "petenera, peteneras",
    "polo": "polo, polos",
    "romance": "romance, romances, corrido, corridos",
    "romeras": "romera, romeras",
    "rondeña": "rondena, rondenas",
    "rosas": "rosas",
    "rumba": "rumba, rumbas",
    "saeta": "saeta, saetas",
    "seguiriya": "seguiriya, seguiriyas, siguiriya, siguiriyas, seguirilla, seguirillas,"
    " siguirilla, siguirillas, seguidilla gitana, seguidillas gitanas",
    "serrana": "serrana, serranas",
    "sevillanas": "sevillana, sevillanas",
    "soleá por bulerías": "solea por buleria, solea por bulerias",
    "soleá": "solea, soleas, soleares, soleariya, soleariyas, solearilla",
    "tangos": "tango, tangos",
    "taranta": "taranta, tarantas",
    "taranto": "taranto, tarantos",
    "tientos": "tiento, tientos",
    "toná": "tona, tonas",
    "trillera": "trillera, trilleras, trilla",
    "verdiales": "verdial, verdiales",
    "vidalita": "vidalita, vidalitas",
    "villancico": "villancico, villancicos",
    "zambra": "zambra, zambras",
    "zorongo": "zorongo, zorongos",
}
"""Each palo, and how it is written (without accents, ñ as n)."""

_ALSO_NAMES = frozenset(
    {"cana", "corrido", "jaleos", "mariana", "nana", "polo", "romance", "romera", "rosas", "trilla"}
)
"""These begin names and titles too: they are a palo alone, or after "por"."""

_PALO_OF = {form: palo for palo, forms in PALOS.items() for form in forms.split(", ")}
_LONGEST = max(len(form.split()) for form in _PALO_OF)

_NOISE = r"""
    official | oficial | v[ií]deo(?:clip)? | music\s+video | audio | lyrics? | lyric\s+video | letra
    | h[dq] | 4k | 1080p? | 720p? | full\s+album | [áa]lbum\s+completo | remaster\w* | remasteriz\w*
    | digitally | digitalizad[oa] | en\s+(?:vivo|directo) | live | mono | stereo | est[ée]reo
    | vinilo | vinyl | 78\s*rpm | pizarra | tve | rtve | subt[ií]tul\w+ | explicit | topic
"""
_BRACKETED_NOISE = re.compile(
    rf"[(\[][^()\[\]]*\b(?:{_NOISE})\b[^()\[\]]*[)\]]", re.IGNORECASE | re.VERBOSE
)
_BRACKET = re.compile(r"[(\[]([^()\[\]]*)[)\]]")
_PARTS = re.compile(r"\s+[-‐-―|·/]+\s+|\s*[|]\s*|\s*//\s*")
_COLON = re.compile(r"\s*:\s+")
_QUOTED = re.compile(r"^(.+?)[\s,]+[\"“”«„‘']([^\"“”«»]{3,})[\"“”»’']$")
_YEAR = re.compile(r"(?<![\d.:/-])(1[89]\d\d|20[0-4]\d)(?![\d:/-])")
_NUMBER = re.compile(r"^(?:\d{1,3}\s*[.)\-_]\s*|0\d\s+)(?=\D*[^\W\d])")
_TRAILING_NOISE = re.compile(r"(?:[\s,]+(?:h[dq]|4k|1080p?|720p?))+$", re.IGNORECASE)
_SUNG_BY = re.compile(r"^(.+?)\s+(?:canta\s+)?por\s+(.+)$", re.IGNORECASE)
_MOST_LETTERS = 300
"""What is longer is no title: it stays as it came, for some rules would take hours on it."""
_EDGES = " \t-‐‑‒–—―|·,;:/_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Title:
    """What a title says; "" and None where it does not."""

    title: str
    artist: str = ""
    palo: str = ""
    year: int | None = None


def palo_of(text: str) -> str:
    """The palo that a text names: all of it, how it begins, or what it is sung "por"; else ""."""
    words = fold(text).replace("ñ", "n").split() if len(text) <= _MOST_LETTERS else []
    sung_in = (i + 1 for i, word in enumerate(words) if word == "por")
    # Palos have a "por" of their own: these are looked for as a whole first.
    found = (_begins(words[at:], names=True) for at in sung_in)
    return _begins(words) or next(filter(None, found), "")


def _begins(words: list[str], *, names: bool = False) -> str:
    for n in range(min(_LONGEST, len(words)), 0, -1):
        form = " ".join(words[:n])
        if form in _PALO_OF and (names or n == len(words) or form not in _ALSO_NAMES):
            return _PALO_OF[form]
    return ""


def read_title(text: str) -> Title:
    """Artist, title, palo and year of what stands as the title of a video or a file."""
    plain = " ".join(clean(text).split())
    if len(plain) > _MOST_LETTERS:
        return Title(title=plain)
    said = " ".join(_BRACKETED_NOISE.sub(" ", plain).split())
    said = _TRAILING_NOISE.sub("", said)
    said, year = _without_year(said)
    said, palo = _without_palo(said)
    artist, title, named = _parted(_NUMBER.sub("", said).strip(_EDGES))
    return Title(
        title=title or plain,
        artist=artist,
        palo=palo or named or palo_of(title),
        year=year,
    )


def _without_year(text: str) -> tuple[str, int | None]:
    """One year, or the one in brackets, is when it was sung; it leaves the title."""
    bracketed = [m for m in _BRACKET.finditer(text) if _YEAR.fullmatch(m[1].strip())]
    found = bracketed or list(_YEAR.finditer(text))
    if len({m[0].strip("()[] ") for m in found}) != 1:
        return text, None
    year = int(found[0][0].strip("()[] "))
    rest = text[: found[0].start()] + " " + text[found[0].end() :]
    # A title that is nothing but its year keeps it.
    return (_tidy(rest), year) if rest.strip(_EDGES) else (text, None)


def _without_palo(text: str) -> tuple[str, str]:
    """Brackets that hold a palo say which it is."""
    for bracket in _BRACKET.finditer(text):
        palo = palo_of(bracket[1])
        rest = text[: bracket.start()] + " " + text[bracket.end() :]
        if palo and rest.strip(_EDGES):
            return _tidy(rest), palo
    return text, ""


def _tidy(text: str) -> str:
    """Without empty brackets, and without what parted something that is gone."""
    bare = re.sub(r"[(\[]\s*[)\]]", " ", text)
    return " ".join(bare.split()).strip(_EDGES)


def _parted(text: str) -> tuple[str, str, str]:
    """(artist, title, palo) of a text in parts; the singer stands first, or after a palo."""
    parts = [part for part in (p.strip(_EDGES) for p in _PARTS.split(text)) if part]
    if len(parts) == 1:
        return _in_one(parts[0])
    if not parts:
        return "", text, ""
    palos = [palo_of(part) for part in parts]
    if palos[0] and not palos[1]:
        parts[:2], palos[:2] = [parts[1], parts[0]], [palos[1], palos[0]]
    return parts[0], " - ".join(parts[1:]), next((palo for palo in palos[1:] if palo), "")


def _in_one(text: str) -> tuple[str, str, str]:
    """Without a dash: 'Artist "Title"', 'Palo: Title', 'Artist: Title', 'Artist por palo'."""
    quoted = _QUOTED.match(text)
    if quoted:
        return quoted[1].strip(_EDGES), quoted[2].strip(), ""
    first, *rest = _COLON.split(text, maxsplit=1)
    if rest and first and rest[0]:
        palo = palo_of(first)
        return ("", rest[0], palo) if palo else (first, rest[0], palo_of(rest[0]))
    first, comma, after = text.partition(", ")
    if comma and palo_of(first):
        return after, first, palo_of(first)
    sung = _SUNG_BY.match(text)
    if sung and not palo_of(sung[1]) and palo_of(f"por {sung[2]}"):
        return sung[1], text, palo_of(f"por {sung[2]}")
    return "", text, palo_of(text)
