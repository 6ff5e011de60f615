"""What the tests of `corpus doctor` share."""

from __future__ import annotations

import socket

from corpus.care.doctor import Finding

SECRET = "hf_vErYsEcReT"  # noqa: S105  # nobody's: it must not be told


def states(found: list[Finding]) -> dict[str, str]:
    """How each thing was found, by its name."""
    return {one.what: one.state.value for one in found}


def closed_port() -> int:
    """A port of this machine where nobody answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
