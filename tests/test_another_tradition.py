"""The guide for another singing tradition, command by command: French songs, made singing."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from corpus.records import Word
from corpus.synth.coplas import Copla
from corpus.synth.make import Cante, make_cante, write_cante
from corpus.synth.singers import Singer
from corpus.text import stanzas
from corpus.timed_text import Line, as_textgrid
from corpus.workspace import read_config
from tests.conftest import Cli

GUIDE = Path(__file__).parent.parent / "docs" / "guide-tradition.md"
LETRAS = {
    "fontaine": """
À la claire fontaine
m'en allant promener
j'ai trouvé l'eau si belle
que je m'y suis baignée

Chante rossignol chante
toi qui as le cœur gai
tu as le cœur à rire
moi je l'ai à pleurer
""",
    "renaud": """
Le roi Renaud de guerre revint
tenant ses tripes dans ses mains
sa mère était sur le créneau
qui vit venir son fils Renaud

Allez ma mère allez devant
faites-moi faire un beau lit blanc
guère de temps n'y resterai
à la minuit trépasserai
""",
    "malbrough": """
Malbrough s'en va-t-en guerre
ne sait quand reviendra
il reviendra à Pâques
ou à la Trinité

Elle voit venir son page
tout de noir habillé
beau page ah mon beau page
quelles nouvelles apportez
""",
}
"""Of nobody, and of everybody."""

VOICES = {"fontaine": ("fr+f2", "f"), "renaud": ("fr+m3", "m"), "malbrough": ("fr-be+m1", "m")}


def blocks(kind: str) -> list[str]:
    text = GUIDE.read_text("utf-8")
    return re.findall(rf"^```{kind}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def test_its_corpus_toml_is_understood(tmp_path: Path) -> None:
    path = tmp_path / "corpus.toml"
    path.write_text(blocks("toml")[0], "utf-8")
    told = read_config(path)
    assert (told.corpus.language, told.annotate.captions["palo"]) == ("fr", "Genre")


def song(name: str) -> Cante:
    voice, sex = VOICES[name]
    who = Singer(
        name=name, sex=sex, region="Poitou", voice=voice, tonic=130.0, vibrato=0.3, breath=0.03
    )
    coplas = [Copla(palo="ronde", lines=lines) for lines in stanzas(LETRAS[name])]
    made = make_cante(seed=3, singer=who, coplas=coplas, quejio=False, name=name)
    return replace(made, title=name)


def write_grid(folder: Path, stem: str, cante: Cante, audio: Path) -> None:
    """What somebody timed in Praat, beside the recording."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(audio, folder / f"{stem}.mp3")
    lines = [
        Line(
            text=line.text,
            start=line.start,
            end=line.end,
            words=tuple(Word(text=w.text, start=w.start, end=w.end) for w in line.words),
        )
        for verse in cante.verses
        for line in verse.sung
    ]
    grid = as_textgrid(lines, duration=cante.duration)
    (folder / f"{stem}.TextGrid").write_text(grid, "utf-8")


def lay_out(home: Path) -> None:
    """Recordings, texts and a table as the guide has them."""
    (home / "textes").mkdir()
    (home / "enregistrements").mkdir()
    header, row = blocks("csv")[0].splitlines()
    rows = [header]
    for name, text in LETRAS.items():
        (home / "textes" / f"{name}.txt").write_text(text.strip() + "\n", "utf-8")
        cante = song(name)
        audio, *rest = write_cante(cante, home / "enregistrements")
        for path in rest:
            path.unlink()
        audio = audio.replace(audio.with_name(f"{name}.mp3"))
        shutil.copy(audio, home / f"{name}.mp3")
        rows.append(row.replace("fontaine.mp3", f"{name}.mp3").replace("Louise Cuivre", name))
        for number in (8, 9) if name == "malbrough" else (1,):
            stem = f"{name.capitalize()} {number}"
            write_grid(home / "chanson" / "praat", stem, cante, audio)
    (home / "recordings.csv").write_text("\n".join(rows) + "\n", "utf-8")


def hand_in(home: Path, cli: Cli) -> None:
    """What Claire did: she finds all as it should be."""
    assert cli("annotate", "export", home / "tasks").code == 0
    tasks = json.loads((home / "tasks" / "tasks.json").read_text("utf-8"))
    said = {"completed_by": {"email": "claire@example.org"}, "created_at": "2026-01-01T10:00:00Z"}
    for number, task in enumerate(tasks, start=1):
        result = task["predictions"][0]["result"]
        task |= {"id": number, "annotations": [{"id": number, "result": result, **said}]}
    (home / "chanson" / "claire.json").write_text(json.dumps(tasks), "utf-8")


@pytest.mark.long
def test_every_command_of_the_guide_runs(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    lay_out(home)
    seen = []
    for line in "".join(blocks("sh")).splitlines():
        # `init` and `cd` stand in one line, as people type it.
        words = shlex.split(line.partition("&&")[0], comments=True)[1:]
        if words[:2] == ["annotate", "import"]:
            hand_in(home, cli)
        if words[0] == "show":
            words[1] = cli("recordings", "--json").json[0]["id"]
        if words[0] == "train-aligner":
            Path("recipe.toml").write_text(blocks("toml")[1], "utf-8")
            words += ["--steps", "2"]  # that it runs is asked here, and not what it learns
        ran = cli(*words)
        assert ran.code == 0, (line, ran.err)
        if words[0] == "init":
            monkeypatch.chdir(home / "chanson")
            Path("corpus.toml").write_text(blocks("toml")[0], "utf-8")
        seen.append(words[0])
    assert {"collect", "match", "align", "train-aligner", "release", "train", "report"} <= {*seen}
    matches = cli("matches", "--json").json
    assert [one["decision"] for one in matches] == ["accepted"] * len(LETRAS)
    assert 'language = "fr"' in Path("../whisper-chanson/training.toml").read_text("utf-8")
