"""Plain text, UTF-8. Labels are its first lines.

A text file has no place for metadata, so it stands in a trailer of `Key: value` lines between two lines of dashes:
readable, kept by copying, and easily cut off; the fingerprint finds the text after that.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from inkseal.core.protocols import Rendering
from inkseal.modalities.text.labels import label_lines, one_line, take_labels, utf8_text
from inkseal.modalities.text.lenient import compact_json, lenient_json

_OPEN, _CLOSE = "\n\n---\n", "---\n"
_OURS = {"Labels", "AIGC", "Seal"}
_FIELD = re.compile(r"([A-Za-z][A-Za-z0-9_.-]*): ([^\n]+)")


class Txt:
    """Plain text with a trailer."""

    name: ClassVar[str] = "txt"
    media_type: ClassVar[str] = "text/plain"
    suffix: ClassVar[str] = ".txt"

    def write(self, rendering: Rendering) -> bytes:
        """Returns labels, content and trailer; bare content when there is nothing to say beside it."""
        labels = [one_line(label) for label in rendering.visible_labels]
        content = rendering.content.decode("utf-8")
        if not labels and not rendering.metadata and self._trailer(content) is None:
            return rendering.content
        layout = {"Title": rendering.title, "Language": rendering.language, "Labels": labels}
        fields = {key: compact_json(value) for key, value in layout.items()}
        fields |= {key: _value(value) for key, value in rendering.metadata.items()}
        lines = "".join(f"{key}: {value}\n" for key, value in fields.items())
        return f"{label_lines(labels)}{content}{_OPEN}{lines}{_CLOSE}".encode()

    def read(self, data: bytes) -> Rendering:
        """Returns what `write` was given; a text without a trailer is all content.

        Raises:
            InvalidRequest: the bytes are not UTF-8.
        """
        found = self._trailer(utf8_text(data))
        if found is None:
            return Rendering(content=data, title="", language="")
        body, fields = found
        labels, content = take_labels(body, lenient_json(fields.pop("Labels", "[]")))
        return Rendering(
            content=content,
            title=_text(fields.pop("Title", "")),
            language=_text(fields.pop("Language", "")),
            visible_labels=labels,
            metadata={key: _text(value) for key, value in fields.items()},
        )

    def _trailer(self, text: str) -> tuple[str, dict[str, str]] | None:
        """Splits a text into what stands above its trailer and the trailer's fields.

        Lines that cannot be read are left out, so that one damaged line does not hide the others.
        """
        if not text.endswith(f"\n{_CLOSE}"):
            return None
        body, opening, lines = text.removesuffix(_CLOSE).rpartition(_OPEN)
        fields = {m[1]: m[2] for line in lines.split("\n") if (m := _FIELD.fullmatch(line))}
        return (body, fields) if opening and _OURS & fields.keys() else None


def _value(text: str) -> str:
    """Returns JSON objects as they are, so that readers of the AIGC label find it; other text quoted."""
    return text if "\n" not in text and "\r" not in text and _object(text) else compact_json(text)


def _text(value: str) -> str:
    inner = lenient_json(value) if value.startswith('"') else None
    return inner if isinstance(inner, str) else value


def _object(text: str) -> Mapping[str, Any]:
    value = lenient_json(text) if text.startswith("{") else None
    return value if isinstance(value, dict) else {}
