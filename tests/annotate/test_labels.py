"""The labelling config is one that Label Studio understands."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from annotate.labels import KINDS, Said, labelling_config
from annotate.tasks import make_tasks
from corpus.records import Kind
from tests.corpus.made import recording, utterance


def interface(config: str) -> Any:
    from label_studio_sdk.label_interface.interface import LabelInterface

    made: Any = LabelInterface(config)
    made.validate()
    return made


def values(config: str, tag: str, name: str) -> list[str]:
    """What may be chosen in the tag of a name."""
    parent = ET.fromstring(config).find(f".//{tag}[@name='{name}']")  # noqa: S314  # our own
    assert parent is not None
    return [child.attrib["value"] for child in parent]


def test_all_is_asked() -> None:
    config = labelling_config(palos=["soleares", "tonás"])
    assert values(config, "Labels", "label") == ["Letra", "Quejío", "Jaleo", "Nada cantado"]
    assert values(config, "Choices", "verdict") == [said.value for said in Said]
    assert values(config, "Choices", "palo") == ["soleares", "tonás"]
    tags = interface(config)
    assert {control.name for control in tags.controls} == {"label", "transcript", "verdict", "palo"}


def test_every_kind_has_a_caption_of_its_own() -> None:
    assert set(KINDS) == set(Kind)
    assert len(set(KINDS.values())) == len(Kind)


def test_names_that_mean_something_in_xml_come_through() -> None:
    strange = ['tientos & "tangos"', "<toná>", "a'b", "ñ é 😀"]
    config = labelling_config(palos=strange)
    assert values(config, "Choices", "palo") == strange
    interface(config)


def test_empty_double_and_unprintable_palos_go() -> None:
    config = labelling_config(palos=["", "  ", "caña", "caña", "po\x01lo"])
    assert values(config, "Choices", "palo") == ["caña", "polo"]


def test_without_palos_none_is_asked() -> None:
    config = labelling_config()
    assert "palo" not in {control.name for control in interface(config).controls}


def test_fewer_kinds() -> None:
    config = labelling_config(kinds=[Kind.LETRA, Kind.NOTHING])
    assert values(config, "Labels", "label") == ["Letra", "Nada cantado"]


def test_hotkeys_are_all_different() -> None:
    tree = ET.fromstring(labelling_config(palos=["tonás"]))  # noqa: S314  # our own
    keys = [tag.attrib["hotkey"] for tag in tree.iter() if "hotkey" in tag.attrib]
    assert len(keys) == len(set(keys)) == 1 + len(Kind) + len(Said)


@pytest.mark.parametrize("kind", Kind)
def test_the_predictions_are_valid_for_the_config(kind: Kind) -> None:
    of = recording("uno")
    text = "" if kind is Kind.NOTHING else "ay pena\nmía"
    (task,) = make_tasks([replace(utterance(of, text, 2.0), kind=kind)], {of.id: of})
    tags = interface(labelling_config(palos=["tonás"]))
    assert tags.validate_prediction(task["predictions"][0], return_errors=True) == []
    assert tags.validate_task({"data": task["data"]})
