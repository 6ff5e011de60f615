"""TOML as other people write it: whatever is wrong with it is one ValueError."""

from __future__ import annotations

import re
import sys
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["loads"]

# The parser's time grows with the square of a dotted key's parts: of many, it takes hours.
_DEEP_KEY = re.compile(r"""(?<![\w-])(?:(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){100}""")


def loads(text: str) -> dict[str, Any]:
    """What a TOML says; raises ValueError for what is none, or nested out of all measure."""
    if _DEEP_KEY.search(text):
        raise ValueError("a key has more than 100 parts")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deep") from None
