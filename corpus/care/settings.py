"""Other values in a corpus.toml: its comments and its order stay."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from corpus.errors import ConfigError
from corpus.whole import writing
from corpus.workspace import Config, read_config

__all__ = ["change"]


def change(path: Path, values: Mapping[str, str]) -> Config:
    """Write values by "section.key" into a corpus.toml, all or none; gives what it says then.

    Raises ConfigError where it cannot be changed line by line, MediaError where not written.
    """
    text = path.read_text("utf-8")
    for name, value in values.items():
        section, _, key = name.partition(".")
        text = _with(text, section, key, value)
    with writing(path) as scratch:
        scratch.write_text(text, "utf-8")
        changed = _read(scratch)
        for name, value in values.items():
            section, _, key = name.partition(".")
            if changed is None or getattr(getattr(changed, section), key) != value:
                raise ConfigError(f"{path} cannot take another {name}: write [{section}] out")
    return read_config(path)


def _read(path: Path) -> Config | None:
    try:
        return read_config(path)
    except ConfigError:
        return None


def _with(text: str, section: str, key: str, value: str) -> str:
    line = f"{key} = {json.dumps(value, ensure_ascii=False)}"
    head = re.search(rf"^\[{section}\][^\n]*\n?", text, re.MULTILINE)
    if head is None:
        return f"{text.rstrip()}\n\n[{section}]\n{line}\n"
    after = re.compile(r"^\[", re.MULTILINE).search(text, head.end())
    end = after.start() if after else len(text)
    old = re.compile(rf"^{key}\s*=[^\n]*", re.MULTILINE).search(text, head.end(), end)
    if old is not None:
        return f"{text[: old.start()]}{line}{text[old.end() :]}"
    return f"{text[: head.start()]}{head[0].rstrip()}\n{line}\n{text[head.end() :]}"
