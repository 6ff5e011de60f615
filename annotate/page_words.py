"""What the page says of itself, in Spanish and English; kinds and verdicts have their captions."""

from __future__ import annotations

from collections.abc import Mapping

from annotate.captions import LANGUAGES

__all__ = ["page_words"]

_WORDS: Mapping[str, tuple[str, str]] = {
    # What stands on the page.
    "headline": ("Escuchar y corregir", "Listen and correct"),
    "name": ("Tu nombre o correo", "Your name or e-mail"),
    "export": ("Exportar", "Export"),
    "import": ("Importar", "Import"),
    "help": ("Ayuda", "Help"),
    "close": ("Cerrar", "Close"),
    "go to": ("Ir al fragmento", "Go to clip"),
    "sure": ("Probabilidad de que esté bien", "Probability that it is right"),
    "level": (
        "Sonido: toca para oír desde ahí, arrastra los bordes del tramo",
        "Sound: touch to hear from there, drag the ends of the stretch",
    ),
    "play": ("Oír", "Play"),
    "pause": ("Parar", "Pause"),
    "repeat": ("Repetir", "Repeat"),
    "whole": ("Todo el fragmento", "Whole clip"),
    "slow": ("Lento", "Slow"),
    "start": ("Comienzo", "Start"),
    "end": ("Final", "End"),
    "earlier": ("50 ms antes", "50 ms earlier"),
    "later": ("50 ms después", "50 ms later"),
    "kind": ("Qué es", "What it is"),
    "text": ("Lo que se canta, un verso por línea", "What is sung, a line each"),
    "undo": ("Como estaba", "As it was"),
    "accept": ("Está bien así", "Right as it stands"),
    "flag": ("Marcar", "Flag"),
    "skip": ("Saltar", "Skip"),
    "previous": ("Anterior", "Previous"),
    "next": ("Siguiente", "Next"),
    "why": ("¿Qué está mal?", "What is wrong?"),
    "cancel": ("Dejarlo", "Never mind"),
    "edit": ("Escribir", "Write"),
    "leave": ("salir del texto", "leave the text"),
    "no script": (
        "Esta página necesita JavaScript.",
        "This page needs JavaScript.",
    ),
    # What it tells, with the figures in braces.
    "progress": (
        "{done} de {total} hechos, {flagged} marcados, {skipped} saltados",
        "{done} of {total} done, {flagged} flagged, {skipped} skipped",
    ),
    "unsaved": ("{count} sin exportar", "{count} not exported yet"),
    "clip": ("Fragmento {n} de {total}", "Clip {n} of {total}"),
    "seconds": ("{s} s", "{s} s"),
    "open": ("sin decidir", "undecided"),
    "accepted": ("está bien así", "right as it stands"),
    "flagged": ("marcado: {why}", "flagged: {why}"),
    "skipped": ("saltado", "skipped"),
    "withdrawn": (
        "Ha cambiado después de decidirlo: decide otra vez",
        "It changed after it was decided: decide again",
    ),
    "all decided": (
        "Todo está decidido: expórtalo y manda el archivo",
        "All is decided: export it and send the file",
    ),
    "no text": (
        "No hay texto: escribe lo que se canta, o marca «{nothing}» o «{not_sung}»",
        "There is no text: write what is sung, or say “{nothing}” or “{not_sung}”",
    ),
    "who": ("Escribe primero tu nombre o tu correo", "Write your name or e-mail first"),
    "nothing decided": (
        "Todavía no hay nada decidido que exportar",
        "Nothing is decided yet that could be exported",
    ),
    "exported": (
        "{count} fragmentos exportados a {file}; se puede repetir en cualquier momento",
        "{count} clips exported to {file}; it may be done again at any time",
    ),
    "imported": (
        "{count} fragmentos leídos de {file}, {left} dejados aparte",
        "{count} clips read from {file}, {left} left aside",
    ),
    "not an export": (
        "{file} no es un archivo exportado de esta página",
        "{file} is no file that was exported from this page",
    ),
    "of another": (
        "{file} es de {other}; aquí trabaja {name}",
        "{file} is by {other}; {name} works here",
    ),
    "not kept": (
        "El navegador no guarda el trabajo de esta página: expórtalo antes de cerrarla",
        "The browser does not keep the work on this page: export it before you close it",
    ),
    "two windows": (
        "Se ha seguido en otra ventana: vuelve a cargar la página aquí para continuar",
        "Work went on in another window: load the page anew here to go on",
    ),
    "no sound": ("El sonido no se puede oír aquí", "The sound cannot be played here"),
    # The help, in whole sentences.
    "help keys": ("Teclas", "Keys"),
    "help in text": (
        "Dentro del texto: Ctrl+Intro lo da por bueno, Ctrl+Espacio lo hace oír, Escape sale.",
        "Within the text: Ctrl+Enter accepts, Ctrl+Space plays, Escape leaves it.",
    ),
    "help edges": (
        (
            "Los bordes del tramo se arrastran con el ratón o el dedo; con el foco en uno, "
            "las flechas lo mueven."
        ),
        (
            "The ends of the stretch are dragged by mouse or finger; the arrow keys move the one "
            "that has the focus."
        ),
    ),
    "help kept": (
        (
            "Todo queda en este navegador a medida que trabajas. Al terminar, o cuando quieras, "
            "expórtalo y manda el archivo a quien te dio la página. Sólo cuenta lo que has "
            "decidido. En otro navegador se sigue importando el archivo."
        ),
        (
            "All stays in this browser as you work. At the end, or at any time, export it and send "
            "the file to whom you had the page from. Only what you decided counts. Import the file "
            "to go on in another browser."
        ),
    ),
    "help nothing": (
        "Si no se canta nada, no borres el texto: elige «{nothing}», o marca y «{not_sung}».",
        (
            "Where nothing is sung, do not empty the text: choose “{nothing}”, or flag and "
            "“{not_sung}”."
        ),
    ),
    "space": ("Espacio", "Space"),
    "enter": ("Ctrl+Intro", "Ctrl+Enter"),
}


def page_words(language: str) -> dict[str, str]:
    """What the page says, by what it says it of, in "es" or "en"."""
    nth = LANGUAGES.index(language)
    return {name: words[nth] for name, words in _WORDS.items()}
