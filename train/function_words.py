"""Function words: those that carry grammar and little meaning, left out to judge what is said.

A closed class each: articles, pronouns, possessives, demonstratives, prepositions,
conjunctions, and the commonest forms of ser, estar and haber.  Negation (no, ni, nunca) changes
what is said, and is kept.  Andalusian short forms stand beside the full ones.  Words are
folded: lower case, no accents (`corpus.text.fold`).
"""

from __future__ import annotations

from pathlib import Path

from corpus.errors import TrainError
from corpus.text import decode, fold

__all__ = ["FUNCTION_WORDS", "read_function_words"]

_SPANISH = """
el la lo los las un una unos unas al del er
yo tu el ella ello nosotros nosotras vosotros vosotras ellos ellas usted ustedes uste
me te se le les nos os mi ti si conmigo contigo consigo
mis tus su sus mio mia mios mias tuyo tuya tuyos tuyas suyo suya suyos suyas
nuestro nuestra nuestros nuestras vuestro vuestra vuestros vuestras
este esta estos estas ese esa esos esas esto eso aquel aquella aquellos aquellas aquello
que quien quienes cual cuales cuyo cuya donde onde cuando como cuanto cuanta cuantos cuantas
a ante bajo con contra de desde en entre hacia hasta para por segun sin sobre tras
pa pal po
y e o u pero mas sino aunque porque pues si conque
es soy eres son somos era eras eran fue fui fueron ser sea seas sean siendo sido
esta estoy estas estan estamos estaba estabas estaban estar toy ta tas
he has ha han hemos habia habias habian haber hay
ya muy mu tan
"""

FUNCTION_WORDS = {"es": frozenset(map(fold, _SPANISH.split()))}
"""By language."""


def read_function_words(path: Path) -> frozenset[str]:
    """The words of a file, as another tradition names its own; `#` begins a remark.

    Raises TrainError when it cannot be read.
    """
    try:
        text = decode(path.read_bytes())
    except OSError as error:
        raise TrainError(f"{path} cannot be read: {error.strerror or error}") from error
    lines = (line.partition("#")[0] for line in text.splitlines())
    return frozenset(fold(word) for line in lines for word in line.split())
