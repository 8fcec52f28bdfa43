"""Which of the two interface languages to speak; every message is written once, as a pair."""

import contextlib
import locale
import os
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Literal

Language = Literal["en", "zh"]


def detect_language() -> Language:
    """Returns the language that INKSEAL_LANGUAGE or the locale asks for; English when neither is Chinese."""
    wanted = (
        os.environ.get("INKSEAL_LANGUAGE")
        or os.environ.get("LC_ALL")
        or os.environ.get("LC_MESSAGES")
        or os.environ.get("LANG")
        or locale.getlocale()[0]
        or "en"
    )
    return "zh" if wanted.lower().startswith(("zh", "chinese")) else "en"


_current: ContextVar[Language | None] = ContextVar("inkseal_language", default=None)


def current_language() -> Language:
    """Returns the language of the running task."""
    return _current.get() or detect_language()


@contextlib.contextmanager
def use_language(language: Language) -> Iterator[None]:
    """Speaks `language` inside the block, in this thread or task only."""
    token = _current.set(language)
    try:
        yield
    finally:
        _current.reset(token)


def say(en: str, zh: str) -> str:
    """Returns the text in the current language."""
    return zh if current_language() == "zh" else en
