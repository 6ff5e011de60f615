"""A site in one TOML: where to begin, which links to take, and where on a page what stands.

Those shipped are in corpus/lyrics/sites; docs/letras.md explains each key.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from corpus.errors import ConfigError
from corpus.lyrics.web.html import xpath_of
from corpus.records import UNKNOWN_RIGHTS
from corpus.rights import rights_of
from corpus.workspace import read_toml

__all__ = ["Heading", "Links", "Note", "Reading", "SiteRules", "Where", "read_rules", "shipped"]

_SITES = Path(__file__).parent.parent / "sites"


def _selector(text: str) -> str:
    xpath_of(text)
    return text


def _codec(text: str) -> str:
    try:
        name = codecs.lookup(text).name if text else ""
        # Tried, since Python knows codecs of other things by names as well.
        b"a".decode(name or "utf-8", "replace")
    except (LookupError, UnicodeError) as error:
        raise ValueError("no encoding of that name is known") from error
    return name


def _address(text: str) -> str:
    if not re.match(r"https?://[^/\s]+", text):
        raise ValueError("an address begins with http:// or https://")
    return text


Selector = Annotated[str, AfterValidator(_selector)]
Address = Annotated[str, AfterValidator(_address)]


class _Table(BaseModel):
    """A misspelt key is an error, not a rule that is silently passed over."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Links(_Table):
    """Which links are taken, by patterns that are looked for in the whole address.

    `pages` hold letras, `follow` lead to more pages; both are followed, `deny` never.
    """

    pages: tuple[re.Pattern[str], ...] = Field(min_length=1)
    follow: tuple[re.Pattern[str], ...] = ()
    deny: tuple[re.Pattern[str], ...] = ()


class Where(_Table):
    """Where a field stands: a selector (CSS or XPath), and a pattern for what is of use there.

    The named groups of the pattern are fields; without any, all of the text is the field.
    """

    select: Selector
    pattern: re.Pattern[str] | None = None


class Heading(Where):
    """A heading, which holds for what stands below it: `field` is its text.

    An element whose text does not have the pattern is no heading.
    """

    field: str = ""

    @model_validator(mode="after")
    def _named(self) -> Heading:
        if not self.field and not (self.pattern and self.pattern.groupindex):
            raise ValueError("a heading has a field, or a pattern with named groups")
        return self


class Note(_Table):
    """A line that is not sung: its named groups are fields; it may begin a letra.

    The pattern has to fit the whole line.  A field that a letra has already is not overwritten.
    """

    pattern: re.Pattern[str]
    begins: bool = False


class Reading(_Table):
    """Where on a page what stands.

    `verses` are the elements that hold letras: all of the page's headings and notes are
    looked for inside them.  `needs` are fields without which text is no letra (an
    introduction, say); a stanza with a line longer than `longest_line` is prose.
    """

    verses: Selector = "//body"
    fields: dict[str, Where] = {}
    headings: tuple[Heading, ...] = ()
    notes: tuple[Note, ...] = ()
    drop: tuple[Selector, ...] = ()
    examples: re.Pattern[str] | None = None
    needs: tuple[str, ...] = ()
    paragraphs_are_lines: bool = False
    longest_line: Annotated[int, Field(gt=0)] = 70


class SiteRules(_Table):
    """All of a TOML: `licence` is of letras that say none; `terms` is a note for people."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    start: tuple[Address, ...] = Field(min_length=1)
    hosts: tuple[str, ...] = ()
    encoding: Annotated[str, AfterValidator(_codec)] = ""
    licence: Annotated[str, AfterValidator(rights_of)] = UNKNOWN_RIGHTS
    terms: str = ""
    links: Links
    read: Reading = Reading()


def shipped() -> tuple[str, ...]:
    """The names of the sites that have a TOML here."""
    return tuple(sorted(path.stem for path in _SITES.glob("*.toml")))


def read_rules(site: str | Path) -> SiteRules:
    """The rules of a shipped site by its name, or of a TOML by its path.

    Raises ConfigError that says the file and the key when there are none, or they cannot be.
    """
    path = _SITES / f"{site}.toml" if isinstance(site, str) else site
    if isinstance(site, str) and site not in shipped():
        raise ConfigError(f"site:{site} is not known: {_listed(shipped())}, or a .toml of your own")
    try:
        return SiteRules.model_validate(read_toml(path))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        why = first["msg"].removeprefix("Value error, ")
        raise ConfigError(f"{path}: {where}: {why[:1].lower()}{why[1:]}") from error


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"site:{name}" for name in names)
