"""The labelling config is one that Label Studio understands."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from annotate.captions import Captions, Said
from annotate.labels import Questions, labelling_config, questions_of, tag_of
from annotate.tasks import clips, make_tasks
from corpus.records import Kind
from corpus.workspace import AnnotateSection, Config, CorpusSection
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


def asked(**more: Any) -> Questions:
    return Questions(palos=("soleares", "tonás"), regions=("Cádiz", "Jerez"), **more)


def test_all_is_asked() -> None:
    config = labelling_config(asked(quality=("white noise",), accompaniment=("guitar", "cajón")))
    assert values(config, "Labels", "label") == [
        *("Letra", "Quejío", "Jaleo", "Falseta", "Nada cantado")
    ]
    assert values(config, "Choices", "verdict") == [
        *("Bien", "Texto mal", "Tiempos mal", "No se canta", "Es otra letra")
    ]
    assert values(config, "Choices", tag_of("palo")) == ["soleares", "tonás"]
    assert values(config, "Choices", tag_of("sex")) == ["de mujer", "de hombre", "varias"]
    assert values(config, "Choices", tag_of("region")) == ["Cádiz", "Jerez"]
    for mark in ("white noise", "guitar", "cajón"):
        assert values(config, "Choices", tag_of(mark)) == ["0", "1", "2"]
    tags = interface(config)
    assert {control.name for control in tags.controls} == {
        *("label", "transcript", "verdict", "of_palo", "of_sex", "of_region"),
        *("of_white_noise", "of_guitar", "of_cajon", "of_words", "of_notes"),
    }


def test_what_is_asked_stands_in_corpus_toml() -> None:
    config = Config(
        corpus=CorpusSection(palos=("alegrías", "", "alegrías", "po\x01lo")),
        annotate=AnnotateSection(
            language="en", regions=(" Cádiz",), quality=(), captions={"letra": "Verse"}
        ),
    )
    questions = questions_of(config)
    assert questions.palos == ("alegrías", "polo")
    assert questions.regions == ("Cádiz",)
    assert list(questions.choices) == [
        *("palo", "sex", "region", "guitar", "percussion", "jaleos", "others")
    ]
    labels = values(labelling_config(questions), "Labels", "label")
    assert labels == [
        "Verse",
        "Cry (quejío)",
        "Shout (jaleo)",
        "Guitar alone (falseta)",
        "Nothing sung",
    ]


@pytest.mark.parametrize("language", ["es", "en"])
def test_every_kind_and_verdict_has_a_caption_of_its_own(language: str) -> None:
    captions = Captions(language)
    shown = [captions[name] for name in (*Kind, *Said)]
    assert len(set(shown)) == len(shown)
    assert not set(shown) & {name.value for name in (*Kind, *Said)}
    for name, caption in zip((*Kind, *Said), shown, strict=True):
        assert Captions().meant(f" {caption.upper()} ", (*Kind, *Said)) == name.value


def test_what_has_no_caption_is_its_own() -> None:
    captions = Captions("es", {"guitar": "Bandurria"})
    assert captions["cajón"] == "cajón"
    assert captions["guitar"] == "Bandurria"
    assert captions.meant("Guitarra", ["guitar"]) == captions.meant("bandurria", ["guitar"])
    assert captions.meant("oboe", ["guitar"]) is None
    assert captions.meant("?!", ["guitar", "?!"]) == "?!"


def test_names_that_mean_something_in_xml_come_through() -> None:
    strange = ('tientos & "tangos"', "<toná>", "a'b", "ñ é 😀")
    config = labelling_config(Questions(palos=strange))
    assert tuple(values(config, "Choices", tag_of("palo"))) == strange
    interface(config)


def test_without_palos_none_is_asked() -> None:
    config = labelling_config(Questions())
    assert "of_palo" not in {control.name for control in interface(config).controls}


def test_hotkeys_are_all_different() -> None:
    tree = ET.fromstring(labelling_config(asked()))  # noqa: S314  # our own
    keys = [tag.attrib["hotkey"] for tag in tree.iter() if "hotkey" in tag.attrib]
    assert len(keys) == len(set(keys)) == 1 + len(Kind) + len(Said)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("language", ["es", "en"])
def test_the_predictions_are_valid_for_the_config(kind: Kind, language: str) -> None:
    of = recording("uno")
    text = "ay pena\nmía" if kind.sung else ""
    mine = replace(utterance(of, text, 2.0), kind=kind)
    captions = Captions(language)
    (task,) = make_tasks(clips([mine], {of.id: of}), {of.id: of}, captions)
    tags = interface(labelling_config(asked(captions=captions)))
    assert tags.validate_prediction(task["predictions"][0], return_errors=True) == []
    assert tags.validate_task({"data": task["data"]})
