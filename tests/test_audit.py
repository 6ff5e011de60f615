from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.audit import Ask, asked, audited

HOLE = {"id": "PYSEC-1", "fix_versions": ["9.9"]}
OLD = {"name": "jinja2", "version": "2.4.1", "vulns": [HOLE]}
FINE = {"name": "a", "version": "1", "vulns": []}
SKIPPED = {"name": "b", "skip_reason": "not found"}


def answering(known: Any, locked: Any, of: str = "pypi") -> Ask:
    def ask(service: str, path: Path) -> Any:
        if service != of:
            return None
        return known if path.name == "known.txt" else locked

    return ask


@pytest.mark.parametrize("of", ["pypi", "osv"])
def test_all_is_well(tmp_path: Path, of: str) -> None:
    code, said = audited(tmp_path / "l", answering([OLD], [FINE, SKIPPED], of))
    assert code == 0
    assert said == [
        "audit: not known there: b: not found",
        f"audit: 1 packages asked of {of}, 0 holes",
    ]


def test_a_hole_is_a_failure(tmp_path: Path) -> None:
    bad = {"name": "a", "version": "1", "vulns": [HOLE, {"id": "CVE-2", "fix_versions": []}]}
    code, said = audited(tmp_path / "l", answering([OLD], [bad]))
    assert code == 1
    assert said[:2] == [
        "audit: a 1: PYSEC-1, mended in 9.9",
        "audit: a 1: CVE-2, mended in no version yet",
    ]


@pytest.mark.parametrize("known", [None, [], [{**OLD, "vulns": []}], [SKIPPED]])
def test_a_service_that_knows_no_old_hole_does_not_count(tmp_path: Path, known: Any) -> None:
    """A mirror of packages answers as well, and would find everything fine."""
    code, said = audited(tmp_path / "l", answering(known, [FINE]))
    assert (code, said) == (0, ["audit: not done: no advisory service can be asked from here"])


def test_one_that_falls_silent_is_told(tmp_path: Path) -> None:
    code, said = audited(tmp_path / "l", answering([OLD], None))
    assert (code, said) == (0, ["audit: not done: pypi did not answer to the end"])


def test_what_pip_audit_cannot_read_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "bad.txt").write_text("no requirement at all ===\n")
    assert asked("pypi", tmp_path / "bad.txt") is None
