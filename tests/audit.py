"""`make audit`: whether anything in uv.lock has a known hole, asked of an advisory service.

A service counts where it knows an old hole: others (a mirror of packages, say) answer as well, and
then say of everything that it is fine.  Where none can be asked, one line says so, and that is no
failure; a hole is one.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

SERVICES = ("pypi", "osv")
KNOWN_HOLE = "jinja2==2.4.1"
"""CVE-2014-1402, and more since."""

_SECONDS = "10"

Ask = Callable[[str, Path], "list[dict[str, Any]] | None"]
"""What a service says of each package of a file of requirements; None where it says nothing."""


def main() -> int:
    """Audit what is locked; gives the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        locked = Path(folder) / "locked.txt"
        command = ["uv", "export", "--frozen", "--all-extras", "--all-groups", "--quiet"]
        options = ["--no-emit-project", "--no-hashes", "--output-file", str(locked)]
        subprocess.run([*command, *options], check=True, stdout=subprocess.DEVNULL)
        code, lines = audited(locked, asked)
    print("\n".join(lines))  # noqa: T201  # what it is for
    return code


def audited(locked: Path, ask: Ask) -> tuple[int, list[str]]:
    """The exit code, and what is said."""
    service = _service(ask, locked.with_name("known.txt"))
    if service is None:
        return 0, ["audit: not done: no advisory service can be asked from here"]
    told = ask(service, locked)
    if told is None:
        return 0, [f"audit: not done: {service} did not answer to the end"]
    skipped = [f"{one['name']}: {one['skip_reason']}" for one in told if "skip_reason" in one]
    holes = list(_holes(told))
    said = [f"audit: {len(told) - len(skipped)} packages asked of {service}, {len(holes)} holes"]
    return int(bool(holes)), [*holes, *(f"audit: not known there: {one}" for one in skipped), *said]


def _service(ask: Ask, known: Path) -> str | None:
    known.write_text(f"{KNOWN_HOLE}\n", "utf-8")
    for service in SERVICES:
        if list(_holes(ask(service, known) or ())):
            return service
    return None


def _holes(told: Sequence[dict[str, Any]]) -> list[str]:
    return [
        f"audit: {one['name']} {one['version']}: {hole['id']}, mended in "
        f"{', '.join(hole['fix_versions']) or 'no version yet'}"
        for one in told
        for hole in one.get("vulns", ())
    ]


def asked(service: str, requirements: Path) -> list[dict[str, Any]] | None:
    """What pip-audit hears of a service."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(requirements), "--no-deps"]
    options = ["--disable-pip", "--vulnerability-service", service, "--timeout", _SECONDS]
    quiet = ["--progress-spinner", "off", "--format", "json"]
    done = subprocess.run([*command, *options, *quiet], capture_output=True, check=False)
    try:
        found: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return None
    return found


if __name__ == "__main__":
    sys.exit(main())
