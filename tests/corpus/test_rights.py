from __future__ import annotations

import pytest

from corpus.rights import MARKS, rights_of


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("", ""),
        ("https://creativecommons.org/licenses/by-nc-sa/4.0/", "cc-by-nc-sa-4.0"),
        ("http://creativecommons.org/publicdomain/mark/1.0/", "public-domain"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "cc0"),
        ("CC BY 4.0", "cc-by-4.0"),
        ("cc by-nc-nd 3.0", "cc-by-nc-nd-3.0"),
        ("CC-BY-SA", "cc-by-sa"),
        ("CC0", "cc0"),
        ("Public Domain", "public-domain"),
        ("Dominio público", "public-domain"),
        ("Creative Commons Attribution license (reuse allowed)", "cc-by-3.0"),
        ("permission", "permission"),
        ("research only", "research-only"),
        ("unknown", "unknown"),
        ("All rights reserved", "All rights reserved"),
        ("by nobody", "by nobody"),
        ("accbyx", "accbyx"),
    ],
)
def test_marks(text: str, mark: str) -> None:
    assert rights_of(text) == mark


@pytest.mark.parametrize("mark", MARKS)
def test_a_mark_stays_what_it_is(mark: str) -> None:
    assert rights_of(mark) == mark
