"""The card at the hub, and no hub at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.errors import HubError, PublishError
from corpus.publish.hub_card import dressed, gate_of, undressed
from corpus.publish.pull import pull
from corpus.publish.push import push
from tests.corpus.hub_releases import REPO

Releases = dict[str, Path]


def test_offline_is_told(releases: Releases, tmp_path: Path) -> None:
    with pytest.raises(HubError, match="HF_HUB_OFFLINE is set"):
        push(releases["v1"], REPO)
    with pytest.raises(HubError, match="HF_HUB_OFFLINE is set"):
        pull(REPO, tmp_path)


WORDS = st.text(st.characters(blacklist_categories=["Cc", "Cs", "Zl"], whitelist_characters="\n"))


@given(
    st.dictionaries(WORDS, WORDS | st.dictionaries(WORDS, WORDS), max_size=3),
    st.text(st.characters(blacklist_categories=["Cs"])),
)
def test_the_card_loses_the_hubs_dress(gate: dict[str, Any], body: str) -> None:
    card = f"---\nlicense: mit\n---\n{body}"
    worn = {f"extra_gated_{key}": value for key, value in gate.items()}
    there = dressed(card, ["train"], worn)
    assert undressed(there) == card
    assert gate_of(there) == worn
    assert undressed(card) == card


def test_a_card_without_metadata_is_told() -> None:
    with pytest.raises(PublishError, match="begins without metadata"):
        dressed("# Cante\n", ["train"], {})
    assert gate_of("# Cante") == gate_of("---\n[\n---\n") == gate_of("---\n- a\n---\n") == {}
