"""PDF on A4 with embedded subsets of the fonts it needs; label first, metadata as XMP, nothing active in it."""

import html
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from inkseal.core.errors import InvalidRequest
from inkseal.core.language import say
from inkseal.core.protocols import Rendering
from inkseal.modalities.text.blocks import Block, Span, blocks
from inkseal.modalities.text.labels import one_line, split_labels
from inkseal.modalities.text.lenient import compact_json, lenient_json
from inkseal.modalities.text.lines import break_lines
from inkseal.modalities.text.typefaces import Typeface, font_files, read_typeface, spelled_out, typefaces_for

if TYPE_CHECKING:
    pass

_MARGIN_MM, _WIDTH_MM, _HEIGHT_MM = 22.0, 210.0, 297.0
_BODY_POINTS = 11.0
_HEADING_POINTS = {1: 18.0, 2: 15.0, 3: 13.0}
_CODE_POINTS = 9.5
_INDENT_MM = 7.0
_MM_PER_POINT = 0.3528
_LEADING = 1.6
_STAMP = datetime(2000, 1, 1, tzinfo=UTC)
"""Stands in while writing, so that equal input gives equal bytes, and is blanked out afterwards."""

_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/" xmlns:inkseal="urn:inkseal:1.0/">
{}</rdf:Description></rdf:RDF></x:xmpmeta>"""
_AIGC = "AIGC"
_PROPERTY = re.compile(r"<(TC260:AIGC|inkseal:[A-Za-z][A-Za-z0-9_.-]*)>(.*?)</\1>", re.DOTALL)


class Pdf:
    """A PDF file.

    Args:
        fonts: font files to use; those of this machine when empty.
    """

    name: ClassVar[str] = "pdf"
    media_type: ClassVar[str] = "application/pdf"
    suffix: ClassVar[str] = ".pdf"

    def __init__(self, fonts: Sequence[Path] = ()) -> None:
        self._fonts = fonts

    def write(self, rendering: Rendering) -> bytes:
        """Returns the file.

        Raises:
            Unsupported: no font on this machine has a character of the text.
        """
        labels = tuple(map(one_line, rendering.visible_labels))
        page = _Sheet(self._fonts, [*labels, rendering.content.decode("utf-8")])
        for label in labels:
            page.label(label)
        for block in blocks(rendering.content.decode("utf-8")):
            page.block(block)
        page.pdf.set_title(_clean(rendering.title))
        page.pdf.set_lang(rendering.language or "und")
        page.pdf.set_creation_date(_STAMP)
        page.pdf.set_xmp_metadata(_xmp(labels, rendering.metadata))
        data = bytes(page.pdf.output())
        stamp = f"/CreationDate (D:{_STAMP:%Y%m%d%H%M%S}Z)".encode()
        return data.replace(stamp, b" " * len(stamp))

    def read(self, data: bytes) -> Rendering:
        """Returns the words of the pages, the labels above them, and the metadata.

        Raises:
            InvalidRequest: it is no PDF, is encrypted, or is too large or too damaged to read.
        """
        from inkseal.modalities.text.pdf_words import read_pdf

        if data[:1024].find(b"%PDF-") < 0:
            raise InvalidRequest(say("This is not a PDF.", "这不是 PDF。"))
        found = read_pdf(data)
        metadata = {
            name.removeprefix("TC260:").removeprefix("inkseal:"): html.unescape(value)
            for name, value in _PROPERTY.findall(found.xmp)
        }
        written = lenient_json(metadata.pop("Labels", "[]"))
        expected = [str(label) for label in written] if isinstance(written, list) else []
        lines = found.words.split("\n")
        labels, num_lines = split_labels(lines[: len(expected)], expected)
        return Rendering(
            content="\n".join(lines[num_lines:]).strip("\n").encode("utf-8", "replace"),
            title=found.title,
            language=found.language.replace("und", ""),
            visible_labels=labels,
            metadata=metadata,
        )


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)


def _xmp(labels: Sequence[str], metadata: dict[str, str]) -> str:
    fields = {"inkseal:Labels": compact_json(list(labels))}
    fields |= {f"{'TC260' if name == _AIGC else 'inkseal'}:{name}": value for name, value in metadata.items()}
    lines = (f"<{name}>{html.escape(_clean(value), quote=False)}</{name}>\n" for name, value in fields.items())
    return _XMP.format("".join(lines))


class _Sheet:
    """Draws blocks from the top of the first page downwards."""

    def __init__(self, fonts: Sequence[Path], texts: Sequence[str]) -> None:
        from fpdf import FPDF

        self.pdf = FPDF(format="A4")
        self.pdf.set_auto_page_break(False)
        self._known = [read_typeface(path).characters for path in fonts or font_files()]
        drawn = "•" + "".join(spelled_out(text, self._known) for text in texts)
        self._faces: list[tuple[str, Typeface]] = []
        for number, face in enumerate(typefaces_for(drawn, fonts)):
            self.pdf.add_font(f"face{number}", fname=face.path, collection_font_number=face.number)
            self._faces.append((f"face{number}", face))
        self._y = _MARGIN_MM
        self.pdf.add_page()

    def label(self, text: str) -> None:
        """Draws a label line with a bar beside it."""
        top = self._y
        self._lines([Span(text, bold=True)], _BODY_POINTS, _MARGIN_MM + 3)
        self.pdf.set_line_width(0.8)
        self.pdf.line(_MARGIN_MM, top, _MARGIN_MM, self._y)
        self._y += 4

    def block(self, block: Block) -> None:
        """Draws a block and the space after it."""
        left = _MARGIN_MM + _INDENT_MM * block.depth
        if block.kind == "rule":
            self.pdf.set_line_width(0.2)
            self.pdf.line(left, self._y, _WIDTH_MM - _MARGIN_MM, self._y)
            self._y += 4
            return
        points = _CODE_POINTS if block.kind == "code" else _HEADING_POINTS.get(block.level, _BODY_POINTS)
        spans = [span._replace(bold=span.bold or block.kind == "heading") for span in block.spans]
        if block.marker:
            spans.insert(0, Span(f"{block.marker} "))
            left -= _INDENT_MM / 2
        self._lines(spans, points, left)
        self._y += points * _MM_PER_POINT * 0.6

    def _lines(self, spans: Sequence[Span], points: float, left: float) -> None:
        height = points * _MM_PER_POINT * _LEADING
        clean = [span._replace(text=spelled_out(_visible(span.text), self._known)) for span in spans]
        room = _WIDTH_MM - _MARGIN_MM - left
        for line in break_lines(clean, lambda span: self._width(span.text, points), room):
            if self._y + height > _HEIGHT_MM - _MARGIN_MM:
                self.pdf.add_page()
                self._y = _MARGIN_MM
            self._draw(line, points, left, self._y + height * 0.7)
            self._y += height

    def _draw(self, line: Sequence[Span], points: float, x: float, baseline: float) -> None:
        from fpdf.enums import TextMode

        for span in line:
            for family, text in self._by_face(span.text):
                self.pdf.set_font(family, size=points)
                if span.bold:  # stroked, because a second weight of a Chinese font is another 8 MB
                    with self.pdf.local_context(text_mode=TextMode.FILL_STROKE, line_width=0.15):
                        self.pdf.text(x, baseline, text)
                else:
                    self.pdf.text(x, baseline, text)
                x += self.pdf.get_string_width(text)

    def _width(self, text: str, points: float) -> float:
        width = 0.0
        for family, piece in self._by_face(text):
            self.pdf.set_font(family, size=points)
            width += self.pdf.get_string_width(piece)
        return width

    def _by_face(self, text: str) -> list[tuple[str, str]]:
        """Cuts a text where the typeface changes; white space goes with what stands before it."""
        pieces: list[tuple[str, str]] = []
        for character in text:
            family = next((name for name, face in self._faces if ord(character) in face.characters), "")
            if pieces and (not family or character.isspace() or family == pieces[-1][0]):
                pieces[-1] = pieces[-1][0], pieces[-1][1] + character
            else:
                pieces.append((family or self._faces[0][0], character))
        return pieces


def _visible(text: str) -> str:
    """Returns the text with tabs as spaces and control characters as a visible sign."""
    return "".join(c if c == "\n" or c.isprintable() or c.isspace() else "?" for c in text.expandtabs(4))
