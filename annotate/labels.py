"""The Label Studio labelling config: what a person is asked of each clip.

https://labelstud.io/tags describes the tags.  The captions are what stands in an
export as the answer, so `annotate.pull` reads them back from here.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from xml.etree import ElementTree as ET  # only written here, never read

from corpus.records import Kind
from corpus.text import clean

__all__ = ["AUDIO", "KINDS", "LABEL", "PALO", "TEXT", "VERDICT", "Said", "labelling_config"]

AUDIO, LABEL, TEXT, VERDICT, PALO = "audio", "label", "transcript", "verdict", "palo"
"""The names of the tags; results of a person or a model refer to them."""

KINDS = {
    Kind.LETRA: "Letra",
    Kind.QUEJIO: "Quejío",
    Kind.JALEO: "Jaleo",
    Kind.NOTHING: "Nada cantado",
}
"""The caption of each kind."""

_COLOURS = {
    Kind.LETRA: "#1f77b4",
    Kind.QUEJIO: "#d62728",
    Kind.JALEO: "#2ca02c",
    Kind.NOTHING: "#7f7f7f",
}


class Said(str, Enum):
    """What a person may say of a region, as captioned; saying nothing is fine too."""

    RIGHT = "Bien"
    TEXT_WRONG = "Texto mal"
    TIMES_WRONG = "Tiempos mal"
    NOT_SUNG = "No se canta"


def labelling_config(*, palos: Sequence[str] = (), kinds: Sequence[Kind] = tuple(Kind)) -> str:
    """The config as XML: kinds, text and verdict for each region, the palo for each clip.

    Without palos nothing is asked of the palo.
    """
    view = ET.Element("View")
    for field in ("title", "singer", PALO):
        ET.SubElement(view, "Header", value=f"${field}", size="5")
    ET.SubElement(view, "Audio", name=AUDIO, value=f"${AUDIO}", zoom="true", hotkey="space")
    _add_kinds(view, kinds)
    _add_text(view)
    _add_verdict(view)
    _add_palos(view, [name for name in dict.fromkeys(map(clean, palos)) if name])
    ET.indent(view)
    return ET.tostring(view, encoding="unicode") + "\n"


def _add_kinds(view: ET.Element, kinds: Sequence[Kind]) -> None:
    tag = ET.SubElement(
        view, "Labels", name=LABEL, toName=AUDIO, choice="single", showInline="true"
    )
    for number, kind in enumerate(kinds, start=1):
        shown = {"background": _COLOURS[kind], "hotkey": str(number)}
        ET.SubElement(tag, "Label", {"value": KINDS[kind], **shown})


def _add_text(view: ET.Element) -> None:
    kept = {"perRegion": "true", "editable": "true", "maxSubmissions": "1", "required": "false"}
    shown = {"displayMode": "region-list", "rows": "4", "placeholder": "Lo que se canta"}
    ET.SubElement(view, "TextArea", {"name": TEXT, "toName": AUDIO, **kept, **shown})


def _add_verdict(view: ET.Element) -> None:
    box = ET.SubElement(view, "View", visibleWhen="region-selected")
    ET.SubElement(box, "Header", value="¿Cómo estaba este tramo?", size="5")
    shown = {"perRegion": "true", "choice": "single", "showInline": "true"}
    tag = ET.SubElement(box, "Choices", {"name": VERDICT, "toName": AUDIO, **shown})
    # Choices take letters of the alphabet for themselves unless told which.
    for said, key in zip(Said, "qwer", strict=True):
        ET.SubElement(tag, "Choice", value=said.value, hotkey=key)


def _add_palos(view: ET.Element, palos: Sequence[str]) -> None:
    if not palos:
        return
    ET.SubElement(view, "Header", value="Palo, si arriba falta", size="5")
    shown = {"choice": "single", "layout": "select"}
    tag = ET.SubElement(view, "Choices", {"name": PALO, "toName": AUDIO, **shown})
    for palo in palos:
        ET.SubElement(tag, "Choice", value=palo)
