"""Cuts Chinese and other text into words, and tells which of the two interface languages a text is nearer to."""

import re
import unicodedata

HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Ranges of Chinese characters, for use inside a regular expression's brackets."""

_HAN = re.compile(f"[{HAN}]")
_HAN_RUN = re.compile(f"([{HAN}]+)")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


def segment(text: str) -> list[str]:
    """Returns the words of a text in order, in lower case and full-width forms folded, without punctuation.

    Chinese is cut by rjieba's dictionary; other scripts at the edges of letters and digits.
    """
    words: list[str] = []
    for piece in _HAN_RUN.split(unicodedata.normalize("NFKC", text)):
        if _HAN.match(piece):
            import rjieba

            words += rjieba.cut(piece)
        else:
            words += (word.casefold() for word in _WORD.findall(piece))
    return words


def language_of(text: str) -> str:
    """Returns "zh" when Chinese characters carry a text, else "en"; a Han character counts as two letters."""
    num_han = len(_HAN.findall(text))
    num_others = sum(c.isalpha() for c in text) - num_han
    return "zh" if num_han * 2 >= max(num_others, 1) else "en"
