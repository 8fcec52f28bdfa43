"""Markdown with YAML front matter; labels are a quotation at the start."""

import re
from typing import Any, ClassVar

from inkseal.core.protocols import Rendering
from inkseal.modalities.text.labels import label_lines, one_line, take_labels, utf8_text
from inkseal.modalities.text.lenient import compact_json, lenient_json

_FENCE, _QUOTE = "---\n", "> "
_LINE = re.compile(r"(  )?([A-Za-z][A-Za-z0-9_.-]*):(?: (.*))?")
_OURS = {"labels", "AIGC", "Seal"}
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
"""Characters that JSON lets stand and YAML does not."""


class Markdown:
    """Markdown with front matter."""

    name: ClassVar[str] = "markdown"
    media_type: ClassVar[str] = "text/markdown"
    suffix: ClassVar[str] = ".md"

    def write(self, rendering: Rendering) -> bytes:
        """Returns front matter, labels and content; bare content when there is nothing to say beside it."""
        labels = [one_line(label) for label in rendering.visible_labels]
        content = rendering.content.decode("utf-8")
        if not labels and not rendering.metadata and _split(content) is None:
            return rendering.content
        lines = [f"title: {_quoted(rendering.title)}", f"lang: {_quoted(rendering.language)}"]
        lines.append(f"labels: {_quoted(labels)}")
        for key, value in rendering.metadata.items():
            lines += _field(key, value)
        front = "".join(f"{line}\n" for line in lines)
        return f"{_FENCE}{front}{_FENCE}\n{label_lines(labels, _QUOTE)}{content}".encode()

    def read(self, data: bytes) -> Rendering:
        """Returns what `write` was given; front matter of others is read as far as it is plain.

        Raises:
            InvalidRequest: the bytes are not UTF-8.
        """
        found = _split(utf8_text(data))
        if found is None:
            return Rendering(content=data, title="", language="")
        fields, body = found
        labels, content = take_labels(body.removeprefix("\n"), fields.pop("labels", []), _QUOTE)
        return Rendering(
            content=content,
            title=str(fields.pop("title", "")),
            language=str(fields.pop("lang", "")),
            visible_labels=labels,
            metadata={key: value if isinstance(value, str) else compact_json(value) for key, value in fields.items()},
        )


def _quoted(value: object) -> str:
    """Returns JSON that is YAML too."""
    return _UNPRINTABLE.sub(lambda m: f"\\u{ord(m[0]):04x}", compact_json(value))


def _field(key: str, value: str) -> list[str]:
    """Returns the lines of one field; a flat JSON object becomes a mapping, as labels are written in practice."""
    flat = lenient_json(value)
    names = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
    plain = isinstance(flat, dict) and all(isinstance(v, str) and names.fullmatch(k) for k, v in flat.items())
    if flat and plain and compact_json(flat) == value:
        return [f"{key}:", *(f"  {name}: {_quoted(text)}" for name, text in flat.items())]
    return [f"{key}: {_quoted(value)}"]


def _split(text: str) -> tuple[dict[str, Any], str] | None:
    """Returns the fields of a labelled file's front matter and what follows it.

    None when there is none, or when nothing in it is a label's: then it belongs to the content. Lines that cannot be
    read are left out, so that one damaged line does not hide the others.
    """
    text = text.removeprefix("\ufeff")
    if not text.startswith(_FENCE):
        return None
    front, closing, body = text.removeprefix(_FENCE).partition(f"\n{_FENCE}")
    if not closing:
        return None
    fields: dict[str, Any] = {}
    key = ""
    for line in front.split("\n"):
        match = _LINE.fullmatch(line)
        if match is None:
            continue
        indent, name, value = match.groups()
        if not indent:
            key = name
            fields[key] = {} if value is None else _scalar(value)
        elif isinstance(fields.get(key), dict):
            fields[key][name] = _scalar(value or "")
    return (fields, body) if _OURS & fields.keys() else None


def _scalar(text: str) -> Any:
    """Reads a quoted or bare value; what is not JSON stays the text it is."""
    text = text.strip()
    if text.startswith(('"', "[")):
        value = lenient_json(text)
        return text if value is None else value
    if len(text) > 1 and text.startswith("'") and text.endswith("'"):
        return text[1:-1].replace("''", "'")
    return text
