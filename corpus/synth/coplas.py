"""Coplas of the anonymous tradition, as collectors printed them in the 19th century.

No author of any of them is known; they are in the public domain.  Such
collections: Lafuente y Alcántara, Cancionero popular (1865); Machado y Álvarez
"Demófilo", Colección de cantes flamencos (1881); Rodríguez Marín, Cantos
populares españoles (1882-83).
"""

from __future__ import annotations

from dataclasses import dataclass

from corpus.text import stanzas

__all__ = ["COPLAS", "PALOS", "Copla", "coplas_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Copla:
    """One stanza as written, and the palo it is sung by here."""

    palo: str
    lines: tuple[str, ...]


_WRITTEN = {
    "soleá": """
Fui piedra y perdí mi centro
y me arrojaron al mar
y a fuerza de mucho tiempo
mi centro vine a encontrar

Cada vez que considero
que me tengo que morir
tiendo la capa en el suelo
y me harto de dormir

Dos besos tengo en el alma
que no se apartan de mí
el último de mi madre
y el primero que te di

Presumes que eres la ciencia
yo no lo comprendo así
porque siendo tú la ciencia
no me has entendido a mí
""",
    "seguiriya": """
A clavito y canela
me hueles tú a mí
el que no huele a clavito y canela
no sabe distinguir

Siempre por los rincones
te encuentro llorando
mal fin tenga mi cuerpo serrana
si te doy mal pago

Dice mi compañera
que no la quiero
cuando la miro a la cara
el sentido pierdo

Cuando yo me muera
te pido un encargo
que con las trenzas de tu pelo negro
me amarren las manos
""",
    "fandango": """
Ni contigo ni sin ti
tienen mis males remedio
contigo porque me matas
y sin ti porque me muero

Al pie de un árbol sin fruto
me puse a considerar
qué pocos amigos tiene
el que no tiene qué dar

Los ojos de mi morena
se parecen a mis males
negros como mis fatigas
grandes como mis pesares

Ayer me dijiste que hoy
hoy me dices que mañana
y mañana me dirás
que de lo dicho no hay nada
""",
    "tangos": """
Toítos los ojos negros
los van a prender mañana
y tú que negros los tienes
échate un velo a la cara

Cuando paso por tu puerta
cojo pan y voy comiendo
pa que no diga tu madre
que con verte me mantengo

Dicen que tú no me quieres
no me da pena maldita
que la mancha de la mora
con otra verde se quita

Si la mar fuera de tinta
y el cielo de papel doble
no se podría escribir
lo falsos que son los hombres
""",
    "bulerías": """
Anda y dile a tu madre
si me desprecia por pobre
que el mundo da muchas vueltas
y ayer se cayó una torre

De qué le sirve a tu madre
echarle tranca al corral
si te has de venir conmigo
por la puerta principal

Tiré un limón por alto
por ver si coloreaba
subió verde y bajó verde
mi penita redoblaba

Asómate a la ventana
cara de luna redonda
lucero de la mañana
espejo de quien te ronda
""",
    "alegrías": """
Cuando te vengas conmigo
adónde te voy a llevar
a darte un paseíto
por la muralla real

Con las bombas que tiran
los fanfarrones
se hacen las gaditanas
tirabuzones

Aunque pongan en tu puerta
cañones de artillería
tengo que pasar por ella
aunque me cueste la vida

La Virgen del Pilar dice
que no quiere ser francesa
que quiere ser capitana
de la tropa aragonesa
""",
}

PALOS = tuple(_WRITTEN)

COPLAS = tuple(
    Copla(palo=palo, lines=lines) for palo, text in _WRITTEN.items() for lines in stanzas(text)
)


def coplas_of(palo: str) -> tuple[Copla, ...]:
    """The coplas that are sung by this palo; empty for a palo that is not in PALOS."""
    return tuple(copla for copla in COPLAS if copla.palo == palo)
