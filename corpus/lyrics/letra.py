"""From the text of a letra as it is written to the lines that are sung.

Headings, credits and chords are set apart; what is to be sung again is written out.
Every rule stands in a table below.  What no rule knows is sung: no line is lost for
looking odd.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from corpus.collect.titles import palo_of
from corpus.text import clean, fold

__all__ = ["MOST", "LetraText", "Stanza", "read_letra"]

MOST = 8
"""A line is written out so many times at most; "x100" is a slip, or a joke."""

_LONGEST_LINE = 300
"""Letters: no rule is for a longer line, and on one of a whole page some would take hours."""

_MOST_AGAIN = 2000
"""Lines that repetitions add to one letra: "x8" below "x8" below "x8" would have no end."""

_CREDITS = {
    "author": r"letra(?:\s+y\s+m[úu]sica)?|texto|words|lyrics(?:\s+by)?|autor(?:a|es)?|author",
    "composer": r"m[úu]sica|compositor(?:a|es)?|music",
    "artist": r"cante|canta(?:or|ora)?|int[ée]rpretes?|artista|voz|singer",
    "guitar": r"(?:al\s+)?toque|guitarras?|guitarrista|guitar",
    "album": r"[áa]lbum|disco",
    "year": r"a[ñn]o|fecha|grabaci[óo]n|grabado|year",
    "palo": r"palo|estilo",
    "title": r"t[íi]tulo|title",
    "source": r"fuente|source|recopilaci[óo]n|transcripci[óo]n|transcrit[oa](?:\s+por)?",
    "copyright": r"copyright|derechos|editorial",
}
"""What a line "Name: value" says, by names; the whole line is no song."""

_CREDIT = re.compile(
    "|".join(rf"(?P<{name}>{words})" for name, words in _CREDITS.items()), re.IGNORECASE
)
_NAMED = re.compile(r"[(\[]?([^:：()\[\]]{3,30}?)\s*[:：]\s*([^)\]]+?)[)\]]?")
_UNSUNG = re.compile(
    r"""
    \W*(?:https?://|www\.)\S+\W*
  | [©®].*
  | \W*(?:capo|cejilla|cejuela|transporte)\b.*\d.*
  | [(\[]\s*(?:falsetas?|guitarra|instrumental|m[úu]sica|solo|palmas|intro(?:ducci[óo]n)?|interludio
      |puente|jaleos?|hablado|recitado|verse|verso|couplet|estrofa|strophe|copla|letra|outro|final
      |pre-?coro|bridge|hook|zapateado|baile|escobilla|remate|salida|temple)\s*[\dIVX]*\s*:?\s*[)\]]:?
  | \[\s*[^\]]*\b(?:verse|verso|estrofa|intro|outro|puente|bridge)\b[^\]]*\]
  | (?:estrofa|verso|copla|letra|falseta|introducci[óo]n|intro|instrumental)\s*[\dIVX]*\s*:?
  | \(?\s*(?:\d{1,3}|[IVX]{1,5})\s*[.)ªº°-]?\s*\)?
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""Lines that are no song and say nothing of it."""

_CHORD = re.compile(
    r"\(?(?:[A-G]|do|re|mi|fa|sol|la|si)[#♯b♭]?(?P<kind>(?:m|maj|min|dim|sus|aug|add|º|\+)*\d*)"
    r"(?:/[A-G][#b]?)?\)?",
    re.IGNORECASE,
)
_CHORUS = re.compile(
    r"[(\[]?\s*(?:estribillo|coro|chorus|refr[áa]n|refrain|refr[ãa]o|ritornello|tornada)\s*"
    r"(?:x\s*(\d{1,3}))?\s*\d*[)\].:]*"
    r"(?:\s*[(\[]?x\s*(\d{1,3})[)\]]?)?",
    re.IGNORECASE,
)
_AGAIN = (
    r"(?:[(\[]\s*(?:bis|se\s+repite|rep(?:ite|etir)?\.?|dos\s+veces|(?P<times>\d{1,3})\s*veces"
    r"|[x×]\s*(?P<by>\d{1,3})|(?P<of>\d{1,3})\s*[x×])\s*[)\]]"
    r"|[x×]\s?(?P<bare>\d{1,3})|\bbis\.?)"
)
_LINE_AGAIN = re.compile(rf"(?P<line>.*\w.*?)\s*[,;.]?\s*{_AGAIN}\s*[.,;]?", re.IGNORECASE)
_ALL_AGAIN = re.compile(_AGAIN, re.IGNORECASE)
_OPEN = re.compile(r"^\s*(/{2,4}|/:|\|:|‖:)\s*")
_CLOSE = re.compile(r"\s*(/{2,4}|:/|:\||:‖)\s*[.,;]?\s*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stanza:
    """Lines as they are sung; `written` is the stanza as it stood, where that differs."""

    lines: tuple[str, ...]
    written: str = ""
    palo: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LetraText:
    """The stanzas of a letra, what its credits say, and what could not be followed."""

    stanzas: tuple[Stanza, ...]
    said: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


def read_letra(text: str) -> LetraText:
    """The stanzas (parted by blank lines) of a letra as sung; those without a word go."""
    reading = _Reading()
    for block in re.split(r"\n[^\S\n]*\n", text.replace("\r\n", "\n").replace("\r", "\n")):
        reading.take([line for line in map(clean, block.split("\n")) if line])
    return LetraText(
        stanzas=tuple(reading.stanzas), said=tuple(reading.said), notes=tuple(reading.notes)
    )


class _Reading:
    """What was read so far."""

    def __init__(self) -> None:
        self.stanzas: list[Stanza] = []
        self.said: list[tuple[str, str]] = []
        self.notes: list[str] = []
        self._chorus: tuple[str, ...] | None = None
        self._named_chorus = False
        self._may_add = _MOST_AGAIN
        self._palo = ""

    def take(self, block: Sequence[str]) -> None:
        """One stanza, with what stands around it."""
        lines: list[str] = []
        chorus, self._named_chorus = self._named_chorus, False
        sung = [line for line in block if not self._set_apart(line, lines=block)]
        for place, line in enumerate(sung):
            named = _whole(_CHORUS, line)
            if named and place + 1 < len(sung) and self._chorus is None:
                chorus = True
            elif named:
                lines += self._chorus_again(named, lines)
            else:
                lines.append(line)
        self._stand(block, lines, chorus=chorus)

    def _stand(self, block: Sequence[str], lines: Sequence[str], *, chorus: bool) -> None:
        found = tuple(line for line in self._written_out(lines) if line)
        if not fold(" ".join(found)):
            self._named_chorus = self._named_chorus or chorus
            return
        if chorus:
            self._chorus = found
        written = "" if found == tuple(block) else "\n".join(block)
        self.stanzas.append(Stanza(lines=found, written=written, palo=self._palo))

    def _set_apart(self, line: str, lines: Sequence[str]) -> bool:
        """Whether a line is no song; what it says is kept."""
        if _whole(_UNSUNG, line) or _is_chords(line):
            return True
        named = _whole(_NAMED, line)
        kind = _CREDIT.fullmatch(named[1].strip()) if named else None
        if named and kind and kind.lastgroup:
            self.said.append((kind.lastgroup, named[2].strip()))
            return True
        if line is lines[0] and _is_heading(line):
            self._palo = palo_of(line.strip("()[]:. "))
            return True
        return False

    def _chorus_again(self, named: re.Match[str], before: Sequence[str]) -> tuple[str, ...]:
        """The chorus where only its name stands; a name before any chorus gives the next its."""
        if self._chorus is None:
            self._named_chorus = not before
            if before:
                self.notes.append(f"'{named[0]}' names what was not written before")
            return ()
        return tuple(self._again(self._chorus, self._times(named[1] or named[2] or "1")))

    def _again(self, lines: Sequence[str], times: int) -> list[str]:
        """Lines some times more, as long as the letra may still grow."""
        if times * len(lines) > self._may_add:
            self.notes.append(f"more than {_MOST_AGAIN} lines of repetitions are left out")
            return []
        self._may_add -= times * len(lines)
        return list(lines) * times

    def _written_out(self, lines: Sequence[str]) -> Iterable[str]:
        """Lines as often as they are sung."""
        out: list[str] = []
        for line in self._between_signs(lines):
            whole, part = _whole(_ALL_AGAIN, line), _whole(_LINE_AGAIN, line)
            if whole:
                out += self._all_again(out, self._times(_number(whole)))
            elif part:
                sung = [part["line"].rstrip(" ,;")]
                out += sung + self._again(sung, self._times(_number(part)) - 1)
            else:
                out.append(line)
        return out

    def _all_again(self, out: Sequence[str], times: int) -> list[str]:
        """The stanza so far once more, or the one before where nothing stands yet."""
        again = list(out) or (list(self.stanzas[-1].lines) if self.stanzas else [])
        if not again:
            self.notes.append("a repetition of nothing")
        return self._again(again, times - 1)

    def _between_signs(self, lines: Sequence[str]) -> Iterator[str]:
        """What stands between // and //, or /: and :/, again; over several lines as well."""
        held: list[str] | None = None
        for line in lines:
            short = len(line) <= _LONGEST_LINE
            opened, closed = (_OPEN.search(line), _CLOSE.search(line)) if short else (None, None)
            bare = _CLOSE.sub("", _OPEN.sub("", line)) if short else line
            if held is None and opened and (closed is None or not bare):
                held = [bare]
            elif held is None and opened and closed:
                yield from [bare, *self._again([bare], self._signs(opened[1]) - 1)]
            elif held is not None:
                held.append(bare)
                if closed:
                    sung = [one for one in held if one]
                    yield from sung + self._again(sung, 1)
                    held = None
            else:
                yield line if not closed or not bare else bare
        if held is not None:  # never closed: what stands there is sung once
            yield from held

    def _signs(self, sign: str) -> int:
        return len(sign) if sign.startswith("///") else 2

    def _times(self, number: str) -> int:
        times = int(number)
        if 1 <= times <= MOST:
            return times
        self.notes.append(f"{times} times is taken as {min(max(times, 1), MOST)}")
        return min(max(times, 1), MOST)


def _whole(rule: re.Pattern[str], line: str) -> re.Match[str] | None:
    """Whether a rule is for a line, all of it."""
    return rule.fullmatch(line) if len(line) <= _LONGEST_LINE else None


def _number(found: re.Match[str]) -> str:
    return next((found[name] for name in ("times", "by", "of", "bare") if found[name]), "2")


def _is_heading(line: str) -> bool:
    """Whether a first line is nothing but a palo: "Soleá", "POR BULERÍAS", "[Tangos de Triana]"."""
    bare = line.strip("()[]:. ")
    short = len(bare.split()) <= 4 and not re.search(r"[,;!?¡¿]", bare)
    starts = fold(bare).startswith("por ") or bare.isupper() or line != bare
    return bool(short and palo_of(bare) and (starts or len(bare.split()) == 1))


def _is_chords(line: str) -> bool:
    """Whether all words are chords, and one of them can be nothing else, as Am or Sol7."""
    marks = [_CHORD.fullmatch(word.strip("|-")) for word in line.split() if word.strip("|-")]
    return bool(marks) and all(marks) and any(m and (m["kind"] or "#" in m[0]) for m in marks)
