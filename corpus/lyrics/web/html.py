"""HTML as text: what a browser would show as lines, with the headings and notes between them.

Lines and blank lines come out as `innerText` has them:
https://html.spec.whatwg.org/multipage/dom.html#the-innertext-idl-attribute
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urldefrag, urljoin

from lxml import etree  # type: ignore[import-untyped]  # ships no types
from parsel import Selector

from corpus.text import clean, decode, is_binary

__all__ = ["Line", "document", "found", "lines_of", "links", "text_of", "xpath_of"]

_HIDDEN = frozenset(
    {"script", "style", "head", "noscript", "template", "iframe", "object", "select", "textarea"}
)
_STANZA = frozenset(
    {"p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "dl", "table", "pre", "hr"}
)
_LINE = frozenset(
    {"div", "li", "tr", "td", "th", "dd", "dt", "center", "section", "article", "header"}
    | {"footer", "nav", "aside", "main", "figure", "form"}
)
_MOST_LOOKED_AT = 100
"""Elements that are looked at for one with text: each costs as much as all that is inside it."""
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_SPACES = re.compile(r"[ \t\r\n\f]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line as shown, "" for a blank one, and where the links in it lead.

    `rank` is the place of a heading among those that were looked for; None for text.
    """

    text: str
    rank: int | None = None
    links: tuple[str, ...] = ()


def document(body: bytes, encoding: str = "") -> Selector | None:
    """A page of HTML; without a given encoding, its bytes say what they are in.

    None for what is no text, or has none.
    """
    if is_binary(body):
        return None
    text = body.decode(encoding, "replace") if encoding else decode(body)
    text = _SURROGATES.sub("", text)  # UTF-7 may write them
    # lxml trusts a declaration of XML, and the encoding that stands there, over what it is given.
    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", text)
    return Selector(text=text, type="html") if text.strip() else None


_NO_PAGE = etree.Element("html")


def xpath_of(selector: str) -> str:
    """A CSS selector as XPath, an XPath as it is; ValueError for what is neither."""
    if not selector.startswith(("/", "./", "(")):
        from cssselect import SelectorError
        from parsel import css2xpath

        try:
            selector = css2xpath(selector)
        except SelectorError as error:
            raise ValueError(f"no CSS selector: {error}") from error
    try:
        # Tried: what it names and is not known only comes out where it is asked.
        etree.XPath(selector)(_NO_PAGE)
    except etree.XPathError as error:
        raise ValueError(f"no XPath: {error}") from error
    return selector


_ELEMENT = etree._Element  # noqa: SLF001  # lxml has no other name for the class


def found(where: Selector, selector: str) -> list[etree._Element]:
    """The elements that a selector (CSS or XPath) finds, in the order of the page."""
    return [one.root for one in where.xpath(xpath_of(selector)) if isinstance(one.root, _ELEMENT)]


def text_of(where: Selector, selector: str) -> str:
    """The text of the first match that has some, in one line; an attribute is its value."""
    for match in where.xpath(xpath_of(selector))[:_MOST_LOOKED_AT]:
        if isinstance(match.root, _ELEMENT):
            text = " ".join(line.text for line in lines_of(match.root))
        else:
            text = str(match.root)
        if clean(text):
            return " ".join(clean(text).split())
    return ""


def links(page: Selector, url: str) -> Iterator[str]:
    """The addresses that a page links to, whole, each once; without what points into a page."""
    base = page.xpath("string(//base/@href)").get() or ""
    seen: set[str] = set()
    for href in page.xpath("//a/@href | //area/@href").getall():
        try:
            link = urldefrag(urljoin(urljoin(url, base), href.strip())).url
        except ValueError:
            continue  # no address: "http://[" and the like
        if link.startswith(("http://", "https://")) and link not in seen:
            seen.add(link)
            yield link


def lines_of(
    root: etree._Element,
    headings: Mapping[etree._Element, int] | None = None,
    hidden: Collection[etree._Element] = (),
    *,
    paragraphs_are_lines: bool = False,
) -> list[Line]:
    """The lines below an element, in order; text of `hidden` is left out, but not where it leads.

    Lines end where a browser ends them; blank lines are where it leaves room.  Where
    `paragraphs_are_lines`, a paragraph is a line, and an empty one is a blank line.
    """
    flow = _Flow(stanza=_STANZA - {"p"} if paragraphs_are_lines else _STANZA)
    given, left_out = headings or {}, frozenset(hidden)
    walk = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
    for event, node in walk:
        if event == "start":
            flow.link(node)
            if node in given:
                flow.heading(given[node], " ".join(line.text for line in lines_of(node)))
            if node in given or node.tag in _HIDDEN or node in left_out:
                walk.skip_subtree()
            else:
                flow.open(node)
            continue
        if event == "end":
            flow.close(node)
        if node is not root:
            flow.text(node.tail)
    return flow.ended()


class _Flow:
    """Lines as they come, with as many line ends between as are due."""

    def __init__(self, stanza: frozenset[str]) -> None:
        self._stanza = stanza
        self._line = _LINE | (_STANZA - stanza)
        self._lines: list[Line] = []
        self._text: list[str] = []
        self._links: list[str] = []
        self._ends = 2  # line ends just before: at the beginning no more are needed
        self._due = 0  # line ends that are to stand before the next word
        self._as_written = 0  # how deep in <pre>

    def open(self, node: etree._Element) -> None:
        self._as_written += node.tag == "pre"
        self._block(str(node.tag))
        if node.tag == "br":
            self._settle()
            self._end_line()
        self.text(node.text)

    def close(self, node: etree._Element) -> None:
        # What was skipped was not opened: only a <pre> that was can have left its mark.
        self._as_written = max(0, self._as_written - (node.tag == "pre"))
        self._block(str(node.tag))

    def link(self, node: etree._Element) -> None:
        if node.tag == "a" and node.get("href"):
            self._settle()
            self._links.append(str(node.get("href")))

    def heading(self, rank: int, text: str) -> None:
        if self._text or self._links:
            self._end_line()
        self._lines.append(Line(rank=rank, text=" ".join(text.split())))
        self._ends, self._due = 2, 0

    def text(self, text: str | None) -> None:
        if not text:
            return
        first, *others = text.split("\n") if self._as_written else [_SPACES.sub(" ", text)]
        self._words(first)
        for line in others:
            self._end_line()
            self._words(line)

    def ended(self) -> list[Line]:
        if self._text or self._links:
            self._end_line()
        return self._lines

    def _words(self, text: str) -> None:
        between_blocks = text == " " and (self._due or self._ends)
        if text and not between_blocks:
            self._settle()
            self._text.append(text)
            self._ends = 0

    def _block(self, tag: str) -> None:
        self._due = max(self._due, 2 * (tag in self._stanza) or int(tag in self._line))

    def _settle(self) -> None:
        for _ in range(self._ends, self._due):
            self._end_line()
        self._due = 0

    def _end_line(self) -> None:
        text = clean("".join(self._text))
        self._lines.append(Line(text=text, links=tuple(self._links)))
        self._text, self._links = [], []
        self._ends += 1
