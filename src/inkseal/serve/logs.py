"""The log of the server: one line an event, control characters escaped, anything like a key blotted out."""

import logging
import re

KEY_LIKE = re.compile(r"\b(?:ink-[0-9a-z]{1,20}-|sk-|ghp_|hf_)[A-Za-z0-9_-]{6,}|(?i:bearer)\s+\S+")
_UNPRINTABLE = re.compile(
    r"[^\x20-\x7e\u00a1-\u1fff\u2030-\u205e\u2070-\ud7ff\uf900-\ufdcf\ufdf0-\uffef\U00010000-\U0001fffd]"
)


class OneLine(logging.Formatter):
    """Formats a record, its trace included, as one line that no terminal acts upon."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        return clean(super().format(record))


def clean(text: str) -> str:
    """Returns the text without keys, with everything unprintable as an escape."""
    text = KEY_LIKE.sub("[key]", text)
    return _UNPRINTABLE.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


def configure(level: str) -> None:
    """Sends the log to standard error; at INFO there is a line for each request."""
    handler = logging.StreamHandler()
    handler.setFormatter(OneLine())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("uvicorn").setLevel(max(logging.WARNING, logging.getLogger().level))
