"""How texts are compared in apps."""

import unicodedata


def folded(text: str) -> str:
    """Returns the text as it is compared: full-width forms, case and runs of blanks undone."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
