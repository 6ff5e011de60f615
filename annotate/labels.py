"""The Label Studio labelling config: what a person is asked of each clip and its recording.

https://labelstud.io/tags describes the tags.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET  # only written here, never read

from annotate.captions import MARKS, Captions, Said
from corpus.records import Kind
from corpus.text import clean, fold
from corpus.workspace import Config

__all__ = ["AUDIO", "LABEL", "TEXT", "VERDICT", "Questions", "labelling_config", "questions_of"]

AUDIO, LABEL, TEXT, VERDICT = "audio", "label", "transcript", "verdict"
"""The names of the tags that speak of regions; results of a person or a model refer to them."""

SEXES = ("female", "male", "several")

_COLOURS = {
    Kind.LETRA: "#1f77b4",
    Kind.QUEJIO: "#d62728",
    Kind.JALEO: "#2ca02c",
    Kind.FALSETA: "#9467bd",
    Kind.NOTHING: "#7f7f7f",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """What is asked of regions and of recordings, and in which words."""

    captions: Captions = field(default_factory=Captions)
    palos: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    quality: tuple[str, ...] = ()
    accompaniment: tuple[str, ...] = ()

    @property
    def choices(self) -> dict[str, tuple[str, ...]]:
        """What may be answered to each question about a recording; those without are open."""
        marks = dict.fromkeys((*self.quality, *self.accompaniment), MARKS)
        asked = {"palo": self.palos, "sex": SEXES, "region": self.regions, **marks}
        return {name: answers for name, answers in asked.items() if answers}

    @property
    def texts(self) -> tuple[str, ...]:
        """Questions that are answered by writing."""
        return ("words", "notes")


def questions_of(config: Config) -> Questions:
    """What corpus.toml has people asked."""
    asked = config.annotate
    return Questions(
        captions=Captions(asked.language, asked.captions),
        palos=_cleaned(config.corpus.palos),
        regions=_cleaned(asked.regions),
        quality=_cleaned(asked.quality),
        accompaniment=_cleaned(asked.accompaniment),
    )


def _cleaned(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in dict.fromkeys(map(clean, names)) if name)


def tag_of(question: str) -> str:
    """The name of the tag that asks a question about a recording: letters and underlines."""
    return "_".join(["of", *fold(question).split()])


def labelling_config(questions: Questions) -> str:
    """The config as XML: kinds, text and verdict for each region, then what is asked of all."""
    captions = questions.captions
    view = ET.Element("View")
    style = ET.SubElement(view, "Style")
    style.text = ".cante-row { display: flex; flex-wrap: wrap; gap: 4px 28px; }"
    ET.SubElement(view, "Header", value="$title", size="4")
    ET.SubElement(view, "Header", value="$about", size="5")
    ET.SubElement(view, "Audio", name=AUDIO, value=f"${AUDIO}", zoom="true", hotkey="space")
    _add_kinds(view, captions)
    _add_text(view, captions)
    _add_verdict(view, captions)
    _add_recording(view, questions)
    ET.indent(view)
    return ET.tostring(view, encoding="unicode") + "\n"


def _add_kinds(view: ET.Element, captions: Captions) -> None:
    tag = ET.SubElement(
        view, "Labels", name=LABEL, toName=AUDIO, choice="single", showInline="true"
    )
    for number, kind in enumerate(Kind, start=1):
        shown = {"background": _COLOURS[kind], "hotkey": str(number)}
        ET.SubElement(tag, "Label", {"value": captions[kind], **shown})


def _add_text(view: ET.Element, captions: Captions) -> None:
    kept = {"perRegion": "true", "editable": "true", "maxSubmissions": "1", "required": "false"}
    shown = {"displayMode": "region-list", "rows": "4", "placeholder": captions["what is sung"]}
    ET.SubElement(view, "TextArea", {"name": TEXT, "toName": AUDIO, **kept, **shown})


def _add_verdict(view: ET.Element, captions: Captions) -> None:
    box = ET.SubElement(view, "View", visibleWhen="region-selected")
    ET.SubElement(box, "Header", value=captions["how was it"], size="5")
    shown = {"perRegion": "true", "choice": "single", "showInline": "true"}
    tag = ET.SubElement(box, "Choices", {"name": VERDICT, "toName": AUDIO, **shown})
    # Choices take letters of the alphabet for themselves unless told which.
    for said, key in zip(Said, "qwert", strict=True):
        ET.SubElement(tag, "Choice", value=captions[said], hotkey=key)


def _add_recording(view: ET.Element, questions: Questions) -> None:
    """Folded away: asked of every clip, answered once for a recording, or never."""
    captions = questions.captions
    panel = ET.SubElement(
        ET.SubElement(view, "Collapse", bordered="true", open="false"),
        "Panel",
        value=captions["recording"],
    )
    row = _row(panel)
    for name in ("palo", "sex", "region"):
        _add_choices(row, name, questions, layout="select")
    for group, marks in (
        ("quality", questions.quality),
        ("accompaniment", questions.accompaniment),
    ):
        if marks:
            header = f"{captions[group]} ({captions['marks']})"
            ET.SubElement(panel, "Header", value=header, size="5")
            row = _row(panel)
            for name in marks:
                _add_choices(row, name, questions, choice="single-radio")
    for name in questions.texts:
        ET.SubElement(panel, "Header", value=captions[name], size="5")
        shown = {"rows": "1", "maxSubmissions": "1", "editable": "true", "required": "false"}
        ET.SubElement(panel, "TextArea", {"name": tag_of(name), "toName": AUDIO, **shown})


def _row(within: ET.Element) -> ET.Element:
    return ET.SubElement(within, "View", className="cante-row")


def _add_choices(row: ET.Element, name: str, questions: Questions, **look: str) -> None:
    answers: Sequence[str] = questions.choices.get(name, ())
    if not answers:
        return
    box, captions = ET.SubElement(row, "View"), questions.captions
    ET.SubElement(box, "Header", value=captions[name], size="6")
    shown = {"showInline": "true", "choice": "single", **look}
    tag = ET.SubElement(box, "Choices", {"name": tag_of(name), "toName": AUDIO, **shown})
    for answer in answers:
        # No key: Label Studio would give each a letter, and there are not enough of them.
        ET.SubElement(tag, "Choice", value=captions[answer])
