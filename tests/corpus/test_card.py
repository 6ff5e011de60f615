"""The card of a release: true to its rows, valid for the hub, and safe from what people write."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import DatasetCard

from corpus.publish.card import card
from corpus.publish.choose import Rights
from corpus.publish.folder import Manifest
from corpus.publish.plots import draw
from corpus.publish.tally import GROUPS, Part, Share, Tally

FREE = Rights(audio="cc0", text="traditional", annotation="cc-by-4.0")
UNKNOWN = replace(FREE, audio="unknown")
TOLD = Manifest(
    name="2026-1",
    made="2026-01-01T00:00:00+00:00",
    corpus="cante",
    language="es",
    palos=("soleares", "seguiriyas", "tonás"),
    codec="flac",
    contact="somebody@example.org",
)


def counted(**changes: Any) -> Tally:
    """Three hours of soleares by two singers, and half a minute of seguiriyas."""
    whole = {"train": Part(900, 2.0), "test": Part(100, 1.0)}
    groups: dict[str, dict[str, dict[str, Part]]] = {name: {"": whole} for name in GROUPS}
    groups["palo"] = {"soleares": whole, "seguiriyas": {"train": Part(1, 0.5 / 60)}}
    made: dict[str, Any] = {
        "splits": {
            "train": Share(utterances=901, hours=2.01, recordings=9, singers=1),
            "test": Share(utterances=100, hours=1.0, recordings=3, singers=1),
        },
        "groups": groups,
        "rights": {FREE: 1001},
        "shared": (),
        "unnamed": 0,
        "annotators": 0,
    }
    return Tally(**(made | changes))


def head_of(text: str) -> dict[str, Any]:
    _, head, _ = text.split("---\n", 2)
    found: dict[str, Any] = yaml.safe_load(head)
    return found


def test_the_head_is_what_the_hub_reads() -> None:
    head = head_of(card(TOLD, counted()))
    assert head["language"] == ["es"]
    assert (head["license"], head["license_name"]) == ("other", "rights-stand-in-every-row")
    assert head["size_categories"] == ["1K<n<10K"]
    assert head["annotations_creators"] == ["machine-generated"]
    checked = head_of(card(TOLD, counted(annotators=1)))
    assert checked["annotations_creators"] == ["machine-generated", "expert-generated"]
    assert head["task_categories"] == ["automatic-speech-recognition"]
    # With them, `datasets` takes two local folders of one name for the same dataset.
    assert "configs" not in head
    named = TOLD.model_copy(update={"license": "cc-by-nc-sa-4.0", "corpus": 'a: "b"\n#'})
    head = head_of(card(named, counted()))
    assert (head["license"], head["pretty_name"]) == ("cc-by-nc-sa-4.0", 'a: "b"\n#')
    assert "license_name" not in head
    assert DatasetCard(card(named, counted())).data["license"] == "cc-by-nc-sa-4.0"


def test_numbers_are_those_of_the_rows() -> None:
    text = card(TOLD, counted())
    assert "1,001 utterances, 3.01 hours,\nof 12 recordings." in text
    assert "| train | 901 | 2.01 | 9 | 1 |" in text
    assert "| soleares | 900 | 100 | 3.00 |" in text
    assert "| not known | 900 | 100 | 3.00 |" in text
    assert "Too few singers, or no share, for: validation." in text
    assert "Left out: nothing." in text


def test_what_is_missing_is_told() -> None:
    text = card(TOLD, counted())
    assert "- nothing of tonás" in text
    assert "- less than 1% of the hours of seguiriyas" in text
    assert "- singer is not known of 100% of the hours" in text
    assert "- 100% of the hours were checked by nobody" in text
    assert "palo is not known" not in text
    mine = counted().groups["palo"]
    spelt = {**counted().groups, "palo": {**mine, "Seguiriyas": {"train": Part(9, 0.5)}}}
    assert "of the hours of seguiriyas" not in card(TOLD, counted(groups=spelt))


def test_splits_are_not_called_safe_where_they_are_not() -> None:
    assert "counted again in the rows" in card(TOLD, counted())
    leaking = card(TOLD, counted(shared=("singer la niña",)))
    assert "**1 singers, coplas or masters stand in two splits**" in leaking
    assert "counted again in the rows" not in leaking


@pytest.mark.parametrize(("rights", "private"), [({FREE: 3}, False), ({FREE: 3, UNKNOWN: 1}, True)])
def test_unknown_is_private(rights: dict[Rights, int], private: bool) -> None:
    text = card(TOLD, counted(rights=rights))
    assert "| cc0 | traditional | cc-by-4.0 | 3 | everybody |" in text
    assert ("This dataset is private" in text) is private
    assert ("| unknown | traditional | cc-by-4.0 | 1 | nobody else |" in text) is private


@pytest.mark.parametrize(
    ("licence", "changes", "n_barred"),
    [
        ("cc-by-4.0", {}, 0),
        ("cc-by-4.0", {"audio": "cc-by-nc"}, 5),
        ("cc-by-nc-sa-4.0", {"audio": "cc-by-nc"}, 0),
        ("cc0-1.0", {}, 5),
        ("cc0-1.0", {"annotation": "cc0", "text": ""}, 0),
        ("cc-by-4.0", {"text": "cc-by-nc / traditional"}, 0),
        ("cc-by-4.0", {"text": "cc-by-nc / credited"}, 5),
        ("cc-by-4.0", {"audio": "unknown"}, 5),
        ("mit", {"audio": "unknown"}, 5),
        ("mit", {}, 0),
    ],
)
def test_no_licence_of_the_whole_says_more_than_the_rows(
    licence: str, changes: dict[str, str], n_barred: int
) -> None:
    told = TOLD.model_copy(update={"license": licence})
    text = card(told, counted(rights={replace(FREE, **changes): 5}))
    barred = f"but the rights of {n_barred} utterances\ndo not allow that" in text
    assert barred is bool(n_barred)
    assert head_of(text)["license"] == ("other" if n_barred else licence)
    assert ("license_name" in head_of(text)) is bool(n_barred)


def test_the_licence_is_not_one_of_sound_that_is_not_in_it() -> None:
    told = TOLD.model_copy(update={"license": "cc-by-4.0", "codec": ""})
    head = head_of(card(told, counted(rights={UNKNOWN: 5})))
    assert head["license"] == "cc-by-4.0"


def test_what_is_for_research_is_for_who_asks() -> None:
    research = replace(FREE, audio="research-only")
    text = card(TOLD, counted(rights={FREE: 3, research: 1}))
    assert "| research-only | traditional | cc-by-4.0 | 1 | who asks |" in text
    assert "it is for who asks for access" in text
    assert "This dataset is private" not in text
    assert "This dataset is private" in card(TOLD, counted(rights={research: 1, UNKNOWN: 1}))


def test_sound_that_is_not_in_it_keeps_nobody_out() -> None:
    text = card(TOLD.model_copy(update={"codec": ""}), counted(rights={UNKNOWN: 1}))
    assert "| unknown | traditional | cc-by-4.0 | 1 | everybody |" in text
    assert "This dataset is private" not in text
    closed = replace(UNKNOWN, text="unknown")
    text = card(TOLD.model_copy(update={"codec": ""}), counted(rights={closed: 1}))
    assert "This dataset is private" in text


def test_agreement_is_told_where_two_have_heard_the_same() -> None:
    assert "Nobody has checked any of it yet." in card(TOLD, counted())
    one = card(TOLD, counted(annotators=1))
    assert "1 person checked what is `gold`" in one
    assert "nothing is known of how far they would agree" in one
    found = {
        "utterances": 20,
        "pairs": 21,
        "word_error_rate": 0.0512,
        "boundaries": [0.04, 0.31],
        "alpha": [["kind", 0.87], ["palo", None]],
    }
    text = card(TOLD.model_copy(update={"agreement": found}), counted(annotators=2))
    assert "20 utterances were heard by two or more" in text
    assert "- word error rate between two people: 0.051" in text
    assert "- between their ends: 0.04 s in the middle, 0.31 s for 95 of 100" in text
    assert "- Krippendorff's alpha of kind: 0.87" in text
    assert "alpha of palo" not in text


def test_who_is_asked_to_take_things_down_is_named() -> None:
    assert "somebody@example.org" in card(TOLD, counted())
    nobody = TOLD.model_copy(update={"contact": ""})
    assert "No contact was named" in card(nobody, counted())


def test_a_citation_is_made_or_given() -> None:
    assert "@misc{cante-2026-1," in card(TOLD, counted())
    given = TOLD.model_copy(update={"citation": "@article{mine}\n"})
    text = card(given, counted())
    assert "@article{mine}" in text
    assert "@misc" not in text


def test_names_do_not_break_tables() -> None:
    odd = 'El "Niño" | de\nla <script>alert(1)</script>'
    groups = {name: {odd: {"train": Part(1, 1.0)}} for name in GROUPS}
    everywhere = dict.fromkeys(("name", "corpus", "contact", "fixed_test", "follows"), odd)
    said = {"wanted": {"singers": [odd]}, "left_out": {odd: 1}, "agreement": {"alpha": [[odd, 1]]}}
    told = TOLD.model_copy(update=everywhere | said | {"citation": f"{odd}\n```\n# x"})
    text = card(told, counted(groups=groups))
    assert "<script>" not in text.partition("```bibtex")[0].split("---\n", 2)[2]
    assert text.count("```") == 2
    cells = [line for line in text.splitlines() if line.startswith("| El")]
    assert len(cells) == len(GROUPS)
    assert {line.replace("\\|", "").count("|") for line in cells} == {5}


def test_a_release_without_sound_says_so() -> None:
    assert "It holds no sound" not in card(TOLD, counted())
    assert "It holds no sound" in card(TOLD.model_copy(update={"codec": ""}), counted())


def test_long_tables_end_in_all_others() -> None:
    singers = {f"voz {k}": {"train": Part(2, 1.0 + k)} for k in range(60)}
    text = card(TOLD, counted(groups={**counted().groups, "singer": singers}))
    assert "| voz 59 | 2 |" in text
    assert "| 20 others | 40 |" in text
    assert "voz 0 " not in text


@pytest.mark.parametrize("odd", ["", "$x^2$", "a" * 200, "ñ 😀 e\u0301", "歌"])
def test_the_picture_is_the_same_each_time(tmp_path: Path, odd: str) -> None:
    groups = {name: {odd: {"train": Part(1, 1.0)}, "b": {"test": Part(2, 0.5)}} for name in GROUPS}
    found = counted(groups=groups)
    for name in ("one.png", "other.png"):
        draw(found, tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "other.png").read_bytes()
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")
