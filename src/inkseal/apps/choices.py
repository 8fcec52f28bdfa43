"""Which option of a question an answer means."""

import re
from collections.abc import Sequence

from inkseal.apps.folding import folded

LETTERS = "ABCDEFGH"
_LETTERED = re.compile(r"\(?(?P<letter>[a-h])\s?(?P<mark>[.)、:]*)\s?(?P<rest>.*)", re.DOTALL)


def chosen(answer: str, options: Sequence[str]) -> int | None:
    """Returns which option an answer means: its letter, or its text; None when that is not clear."""
    plain = folded(answer)
    texts = [folded(option) for option in options]
    if plain in texts:
        return texts.index(plain)
    found = _LETTERED.fullmatch(plain)
    if found is None or found["letter"].upper() not in LETTERS[: len(options)]:
        return None
    letter, rest = LETTERS.index(found["letter"].upper()), found["rest"]
    if rest in texts:
        return letter if texts[letter] == rest else None  # the letter of one, and the words of another
    return letter if found["mark"] or not rest else None  # "a dog" is no letter
