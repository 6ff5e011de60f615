"""Pages of one file each, that load nothing from anywhere and run nothing but what we wrote.

A page is made of page.html of a package, which is what stands in its body, of its page.css, and of
scripts that lie beside.  Its Content-Security-Policy names style and scripts by their digests, as
they were before anybody's text came in: whatever else got into the page is not obeyed.
https://www.w3.org/TR/CSP3/ describes it.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

__all__ = ["page"]

_ASKS = re.compile(r"[a-z-]+: [\w.%#(), -]+", re.ASCII)

_WHOLE = """\
<!DOCTYPE html>
<html lang="{{ written_in }}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{{ policy | safe }}">
<title>{{ title }}</title>
<style>{{ style | safe }}</style>
</head>
<body>
{{ body | safe }}
</body>
</html>
"""


def page(
    package: str,
    *,
    written_in: str,
    title: str,
    media: str,
    filters: Mapping[str, Callable[..., str]] | None = None,
    **given: Any,
) -> str:
    """The page of a package, `written_in` a language (ISO 639-1).

    `media` are the sources that its sound may have, as a Content-Security-Policy names them.
    Its page.html has besides what is `given`: `look("width: 5%")`, a class that looks so, since
    an attribute `style` would not be obeyed; and `script("page.js")`, a script of the package.
    """
    worn = _Worn(package)
    environment = _environment()
    environment.filters.update(filters or {})
    body = environment.from_string(_part(package, "page.html")).render(
        look=worn.look, script=worn.script, **given
    )
    style = _part(package, "page.css") + worn.rules()
    return environment.from_string(_WHOLE).render(
        written_in=written_in,
        title=title,
        policy=_policy(style, worn.scripts, media),
        style=style,
        body=body,
    )


class _Worn:
    """What a body asks for as it is made: looks that depend on figures, and scripts."""

    def __init__(self, package: str) -> None:
        self.scripts: list[str] = []
        self._package = package
        self._looks: dict[str, str] = {}

    def look(self, declaration: str) -> str:
        """The class of what looks so; ValueError for what is no plain declaration of CSS."""
        if not _ASKS.fullmatch(declaration):
            raise ValueError(f"no declaration of CSS: {declaration!r}")
        return self._looks.setdefault(declaration, f"look-{len(self._looks)}")

    def rules(self) -> str:
        """The looks as CSS."""
        return "".join(f".{name} {{ {rule}; }}\n" for rule, name in self._looks.items())

    def script(self, name: str) -> Markup:
        """The element with a script of the package."""
        from markupsafe import Markup

        text = f"\n{_part(self._package, name)}"
        self.scripts.append(text)
        return Markup(f"<script>{text}</script>")  # noqa: S704  # our own file


def _policy(style: str, scripts: list[str], media: str) -> str:
    allowed = {
        "default-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "style-src": _named(style),
        "script-src": " ".join(map(_named, scripts)) or "'none'",
        "media-src": media,
    }
    return "; ".join(f"{name} {sources}" for name, sources in allowed.items())


def _named(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _environment() -> Environment:
    from jinja2 import Environment, StrictUndefined

    # Titles and letras are other people's text: everything is escaped.
    return Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


@lru_cache
def _part(package: str, name: str) -> str:
    return files(package).joinpath(name).read_text("utf-8")
