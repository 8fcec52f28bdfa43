"""How long a text is as people count: Chinese by characters, other languages by words."""

import re
import unicodedata

from inkseal.modalities.text.segmentation import HAN

_HAN = re.compile(f"[{HAN}]")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


def letters(text: str) -> int:
    """Returns the number of letters, digits and Chinese characters; no punctuation, no blanks."""
    return sum(unicodedata.category(char)[0] in "LN" for char in text)


def size(text: str) -> int:
    """Returns Chinese characters plus words of other scripts, as word processors count."""
    return len(_HAN.findall(text)) + len(_WORD.findall(_HAN.sub(" ", text)))
