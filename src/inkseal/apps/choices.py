"""Which option of a question an answer means."""

from collections.abc import Sequence

from inkseal.apps.folding import folded

LETTERS = "ABCDEFGH"


def chosen(answer: str, options: Sequence[str]) -> int | None:
    """Returns which option an answer means: its letter, or its text; None when that is not clear."""
    plain = folded(answer)
    texts = [folded(option) for option in options]
    if plain in texts:
        return texts.index(plain)
    letter = plain.rstrip(".)、:：").removeprefix("(").upper()
    if len(letter) == 1 and letter in LETTERS[: len(options)]:
        return LETTERS.index(letter)
    head, mark, rest = plain.partition(".") if "." in plain[:3] else plain.partition(" ")
    if mark and len(head) == 1 and head.upper() in LETTERS[: len(options)] and rest.strip() in texts:
        return texts.index(rest.strip())
    return None
