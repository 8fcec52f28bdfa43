"""Reads the words of a PDF in the order they were drawn, and its metadata.

Bounded, and every fault is one error: a PDF from outside may be hostile.
"""

import io
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from inkseal.core.errors import InvalidRequest
from inkseal.core.language import say

if TYPE_CHECKING:
    from pypdf import PageObject, PdfReader

MAX_PAGES = 2000
MAX_CHARS = 5_000_000
_PAIR = re.compile(rb"^<([0-9A-Fa-f]{4})>[ \t]*<([0-9A-Fa-f]+)>[ \t]*\r?$", re.MULTILINE)
_RANGE = re.compile(rb"^<([0-9A-Fa-f]{4})>[ \t]*<([0-9A-Fa-f]{4})>[ \t]*<([0-9A-Fa-f]+)>[ \t]*\r?$", re.MULTILINE)


class PdfWords(NamedTuple):
    """What a PDF says."""

    words: str
    title: str
    language: str
    xmp: str


def read_pdf(data: bytes) -> PdfWords:
    """Returns the words of all pages and the metadata.

    Raises:
        InvalidRequest: it is encrypted, or too large or too damaged to read.
    """
    from pypdf import PdfReader

    try:
        reader = PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted or len(reader.pages) > MAX_PAGES:
            raise InvalidRequest(say("The PDF is encrypted or too long.", "PDF 已加密或过长。"))
        root = reader.root_object
        metadata = root.get("/Metadata")
        return PdfWords(
            words=_words(reader),
            title=str((reader.metadata and reader.metadata.title) or ""),
            language=str(root.get("/Lang", "")),
            xmp=metadata.get_object().get_data().decode("utf-8", "replace") if metadata else "",
        )
    except InvalidRequest:
        raise
    except Exception as error:  # damaged files end in errors of every kind inside the parser
        raise InvalidRequest(
            say(f"The PDF cannot be read: {type(error).__name__}.", f"无法读取 PDF：{type(error).__name__}。")
        ) from error


def _words(reader: "PdfReader") -> str:
    lines: list[str] = []
    num_chars = 0
    for page in reader.pages:
        maps = _code_maps(page)
        found = list(_drawn_lines(page, reader, maps)) if maps else page.extract_text().split("\n")
        num_chars += sum(map(len, found))
        if num_chars > MAX_CHARS:
            raise InvalidRequest(say("The PDF holds too much text.", "PDF 文本过多。"))
        lines += found
    return "\n".join(lines)


def _code_maps(page: "PageObject") -> dict[str, dict[int, str]]:
    """Returns code → text for every font of a page; empty when one is not a two-byte font with such a map."""
    fonts = page.get("/Resources", {}).get("/Font", {})
    maps = {}
    for name, reference in fonts.items():
        font = reference.get_object()
        if font.get("/Subtype") != "/Type0" or "/ToUnicode" not in font:
            return {}
        maps[name] = _to_unicode(font["/ToUnicode"].get_data())
    return maps


def _to_unicode(stream: bytes) -> dict[int, str]:
    codes = {}
    for first, last, text in _RANGE.findall(stream):
        start, end = int(first, 16), int(last, 16)
        for code in range(start, end + 1):
            codes[code] = chr(int(text, 16) + code - start) if len(text) <= 4 else _utf16(text)
    for code, text in _PAIR.findall(stream):
        codes.setdefault(int(code, 16), _utf16(text))
    return codes


def _utf16(digits: bytes) -> str:
    return bytes.fromhex(digits.decode()).decode("utf-16-be", "replace")


def _drawn_lines(page: "PageObject", reader: "PdfReader", maps: dict[str, dict[int, str]]) -> Iterator[str]:
    """Yields the lines of a page; text drawn at one height is one line."""
    from pypdf.generic import ContentStream

    line, height, codes = "", None, next(iter(maps.values()))
    for operands, operator in ContentStream(page.get_contents(), reader).operations:
        if operator == b"Tf":
            codes = maps.get(str(operands[0]), {})
        elif operator == b"Td":
            if height is not None and operands[1] != height:
                yield line
                line = ""
            height = operands[1]
        elif operator in (b"Tj", b"TJ"):
            line += "".join(_decoded(piece, codes) for piece in _strings(operands[0]))
    if height is not None:
        yield line


def _strings(operand: Any) -> list[Any]:
    pieces = operand if isinstance(operand, list) else [operand]
    return [piece for piece in pieces if hasattr(piece, "original_bytes") or isinstance(piece, bytes)]


def _decoded(piece: Any, codes: dict[int, str]) -> str:
    data = piece if isinstance(piece, bytes) else piece.original_bytes
    pairs = (data[i : i + 2] for i in range(0, len(data), 2))
    return "".join(codes.get(int.from_bytes(pair), "\ufffd") for pair in pairs)
