"""Draws docs/flow.svg and flow.es.svg, the picture of the flow: `python docs/flow.py`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

BOXES = (
    # x, y, title, text, colour
    (20, 30, "recordings", "files, folders, links, a CSV", "#fbe9d0"),
    (20, 150, "letras", "txt, lrc, csv, json", "#fbe9d0"),
    (250, 30, "Recording", "16 kHz FLAC, tags, rights", "#e4eef8"),
    (250, 150, "Verse", "one copla, as written", "#e4eef8"),
    (480, 90, "Match", "which coplas are sung", "#e4eef8"),
    (710, 90, "Utterance", "at most 30 s, words timed", "#e4eef8"),
    (710, 230, "dataset", "parquet, splits by singer", "#e2f2e4"),
    (480, 230, "model", "a fine-tuned Whisper", "#e2f2e4"),
    (250, 230, "transcripts", "and what still hurts", "#e2f2e4"),
)
ARROWS = (
    # from x, y, to x, y, label, label x, y
    (190, 60, 250, 60, "collect", 220, 50),
    (190, 180, 250, 180, "lyrics", 220, 170),
    (420, 60, 480, 105, "match", 452, 70),
    (420, 180, 480, 135, "match", 452, 178),
    (650, 120, 710, 120, "align", 680, 110),
    (795, 150, 795, 230, "publish", 825, 195),
    (710, 260, 650, 260, "train", 680, 250),
    (480, 260, 420, 260, "evaluate", 450, 250),
    (565, 230, 565, 150, "better drafts", 606, 195),
)
TITLE = "From recordings and letras to a dataset and a fine-tuned Whisper"
SPANISH = {
    TITLE: "De grabaciones y letras a un conjunto de datos y un Whisper afinado",
    "recordings": "grabaciones",
    "files, folders, links, a CSV": "ficheros, enlaces, una tabla",
    "Recording": "Grabación",
    "16 kHz FLAC, tags, rights": "FLAC, datos, derechos",
    "Verse": "Copla",
    "one copla, as written": "tal como está escrita",
    "Match": "Coplas halladas",
    "which coplas are sung": "qué se canta, y dónde",
    "Utterance": "Fragmento",
    "at most 30 s, words timed": "hasta 30 s, palabra a palabra",
    "dataset": "edición",
    "parquet, splits by singer": "particiones por cantaor",
    "model": "modelo",
    "a fine-tuned Whisper": "un Whisper afinado",
    "transcripts": "transcripciones",
    "and what still hurts": "y qué sigue fallando",
    "better drafts": "borradores",
}
"""Commands stay as they are typed."""

WIDTH, HEIGHT, BOX_WIDTH, BOX_HEIGHT = 900, 310, 170, 60


def box(x: int, y: int, title: str, text: str, colour: str) -> str:
    """Give a box with a title and a line of text."""
    middle = x + BOX_WIDTH // 2
    return (
        f'<rect x="{x}" y="{y}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="8" fill="{colour}"'
        f' stroke="#5b6470"/><text x="{middle}" y="{y + 25}" class="t">{title}</text>'
        f'<text x="{middle}" y="{y + 45}" class="s">{text}</text>'
    )


def arrow(x1: int, y1: int, x2: int, y2: int, label: str, x: int, y: int) -> str:
    """Give an arrow with its verb."""
    return (
        f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="#8a2c2c" stroke-width="1.6"'
        f' marker-end="url(#tip)"/><text x="{x}" y="{y}" class="v">{label}</text>'
    )


def svg(words: Mapping[str, str] | None = None) -> str:
    """Give the whole picture; `words` are those of another language."""
    told = words or {}
    boxes = [
        (x, y, told.get(title, title), told.get(text, text), c) for x, y, title, text, c in BOXES
    ]
    arrows = [(*ends, told.get(label, label), x, y) for *ends, label, x, y in ARROWS]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">'
        f"<title>{told.get(TITLE, TITLE)}</title>"
        "<style>text{font-family:Helvetica,Arial,sans-serif;text-anchor:middle;fill:#222}"
        ".t{font-size:16px;font-weight:bold}.s{font-size:11.5px}"
        ".v{font-size:12px;fill:#8a2c2c;font-style:italic}</style>"
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8"'
        ' markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z" fill="#8a2c2c"/></marker></defs>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>'
    )
    return head + "".join(box(*b) for b in boxes) + "".join(arrow(*a) for a in arrows) + "</svg>\n"


if __name__ == "__main__":
    (Path(__file__).parent / "flow.svg").write_text(svg(), "utf-8")
    (Path(__file__).parent / "flow.es.svg").write_text(svg(SPANISH), "utf-8")
