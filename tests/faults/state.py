"""All that a command leaves, record for record and file for file.

Nothing of it is masked: the clock stands still in these commands (tests/faults/child.py).
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

__all__ = ["leftovers", "state", "unlike"]

_BY_CONTENT = re.compile(r"(.*/)?(bank/.*|corpus\.db(-wal|-shm)?)")
"""What is compared by what it says, and not by its bytes: the store, the bank of verses."""

_LOCK = re.compile(r"(.*/)?(bank)?\.lock")
"""What says nothing."""

_HALF = re.compile(r"(.*/)?\.(part-|publishing|restoring|making|rows-|.*\.making)[^/]*(/.*)?")
"""The names of what is being made."""


def state(world: Path) -> dict[str, Any]:
    """Digests by file; of stores all rows by table; of banks the verses."""
    files = sorted(path for path in world.rglob("*") if path.is_file())
    names = {path.relative_to(world).as_posix(): path for path in files}
    found: dict[str, Any] = {}
    for name, path in names.items():
        if path.name == "corpus.db":
            found |= {f"{name}: {table}": rows for table, rows in _rows(path).items()}
        elif path.name == "bank.json":
            found[name] = json.loads(path.read_bytes())["ids"]
        elif not _BY_CONTENT.fullmatch(name) and not _LOCK.fullmatch(name):
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def _rows(path: Path) -> dict[str, list[str]]:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert not connection.execute("PRAGMA foreign_key_check").fetchall()
        query = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
        tables = [name for (name,) in connection.execute(query)]
        connection.row_factory = sqlite3.Row
        return {
            table: sorted(
                repr(dict(row))
                for row in connection.execute(f"SELECT * FROM {table}")  # noqa: S608  # a table's name
            )
            for table in tables
        }


def leftovers(world: Path) -> list[str]:
    """What was being made when somebody was killed, and is there still."""
    names = (path.relative_to(world).as_posix() for path in world.rglob("*"))
    return sorted(name for name in names if _HALF.fullmatch(name))


def unlike(found: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """What of two states differs."""
    names = sorted(found.keys() | wanted.keys())
    return [name for name in names if found.get(name, "") != wanted.get(name, "")]
