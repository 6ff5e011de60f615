"""How tests ask sites of this machine for letras, and what they are told."""

from __future__ import annotations

from tests.conftest import Ran

__all__ = ["OWN", "told"]

OWN = ("--allow-local", "--delay", "0")


def told(ran: Ran) -> list[str]:
    """The lines of standard error, but that made letras are variants of each other."""
    assert "unexpected" not in ran.err
    assert "Traceback" not in ran.err
    assert "\x1b" not in ran.err
    return [line for line in ran.err.splitlines() if "are variants of others" not in line]
