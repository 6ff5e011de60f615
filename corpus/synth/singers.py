"""The invented singers: a voice of espeak-ng each, and a way of singing."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SINGERS", "Singer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Singer:
    """Who sings.

    `tonic` is their mi in Hz, `vibrato` its depth in semitones, `breath` the
    share of noise (0..1) mixed into the voice.
    """

    name: str
    sex: str
    region: str
    voice: str
    tonic: float
    vibrato: float
    breath: float


SINGERS = (
    Singer(
        name="El Niño del Silicio",
        sex="m",
        region="Sevilla",
        voice="es+m3",
        tonic=131.0,
        vibrato=0.3,
        breath=0.02,
    ),
    Singer(
        name="La Perla del Éter",
        sex="f",
        region="Cádiz",
        voice="es+f2",
        tonic=208.0,
        vibrato=0.35,
        breath=0.03,
    ),
    Singer(
        name="Curro Circuito",
        sex="m",
        region="Jerez",
        voice="es-419+m1",
        tonic=117.0,
        vibrato=0.25,
        breath=0.06,
    ),
    Singer(
        name="Carmela del Cobre",
        sex="f",
        region="Málaga",
        voice="es-419+f4",
        tonic=196.0,
        vibrato=0.4,
        breath=0.05,
    ),
    Singer(
        name="Manuel Válvula",
        sex="m",
        region="Huelva",
        voice="es+m7",
        tonic=139.0,
        vibrato=0.35,
        breath=0.03,
    ),
    Singer(
        name="Lola la Eléctrica",
        sex="f",
        region="Jaén",
        voice="es+f1",
        tonic=220.0,
        vibrato=0.3,
        breath=0.02,
    ),
    Singer(
        name="Pepe Bobina",
        sex="m",
        region="Córdoba",
        voice="es-419+m3",
        tonic=110.0,
        vibrato=0.4,
        breath=0.08,
    ),
    Singer(
        name="La Niña del Imán",
        sex="f",
        region="Granada",
        voice="es-419+f2",
        tonic=185.0,
        vibrato=0.25,
        breath=0.04,
    ),
)
"""Men and women in turn."""
