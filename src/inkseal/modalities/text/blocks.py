"""Markdown as a flat list of blocks with styled runs: what a page shows, without how a format writes it."""

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_SAFE_LINK = re.compile(r"(https?://|mailto:)", re.IGNORECASE)
_STYLES = {"strong": "bold", "em": "italic"}


class Span(NamedTuple):
    """A run of one style. Line breaks inside a paragraph are part of the text."""

    text: str
    bold: bool = False
    italic: bool = False
    code: bool = False


class Block(NamedTuple):
    """A paragraph, heading, list item, table row, piece of code, or rule.

    Attributes:
        level: of a heading, 1 to 6.
        depth: how many lists and quotations it stands in.
        marker: what stands before it: a bullet or a number.
    """

    kind: Literal["paragraph", "heading", "row", "code", "rule"]
    spans: tuple[Span, ...] = ()
    level: int = 0
    depth: int = 0
    marker: str = ""

    @property
    def text(self) -> str:
        return (f"{self.marker} " if self.marker else "") + "".join(span.text for span in self.spans)


def converter() -> "MarkdownIt":
    """Returns a Markdown reader that takes raw HTML as text and knows no links but to the web and to mail."""
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": False, "breaks": True, "xhtmlOut": False})
    reader.enable(["table", "strikethrough"])
    reader.validateLink = lambda url: bool(_SAFE_LINK.match(url))  # type: ignore[method-assign]
    return reader


def blocks(markdown: str) -> list[Block]:
    """Returns the blocks of a Markdown text in order."""
    return list(_Walk(converter().parse(one_newline(markdown))).blocks())


def shown(markdown: str) -> str:
    """Returns the text as a reader sees it, one block a paragraph: no markup, no link targets."""
    return "\n\n".join(block.text for block in blocks(markdown) if block.kind != "rule")


def one_newline(text: str) -> str:
    """Returns the text with every line break as a line feed."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


class _Walk:
    """Goes through markdown-it's flat tokens and keeps count of the lists and quotations around."""

    def __init__(self, tokens: "Sequence[Token]") -> None:
        self._tokens = tokens
        self._lists: list[int | None] = []
        self._num_quotes = 0
        self._marker = ""
        self._heading = 0
        self._row: list[Span] | None = None

    def blocks(self) -> Iterator[Block]:
        for token in self._tokens:
            self._enter(token)
            depth = len(self._lists) + self._num_quotes
            if token.type == "inline" and self._row is not None:
                self._row += [Span("  ")] if self._row else []
                self._row += _spans(token.children or [])
            elif token.type == "inline":
                kind: Literal["heading", "paragraph"] = "heading" if self._heading else "paragraph"
                yield Block(kind, tuple(_spans(token.children or [])), self._heading, depth, self._take_marker())
            elif token.type in ("fence", "code_block"):
                yield Block("code", (Span(token.content.rstrip("\n"), code=True),), 0, depth, self._take_marker())
            elif token.type == "hr":
                yield Block("rule", depth=depth)
            elif token.type == "tr_close":
                yield Block("row", tuple(self._row or ()), depth=depth)
                self._row = None

    def _enter(self, token: "Token") -> None:
        name = token.type
        if name == "ordered_list_open":
            self._lists.append(int(token.attrs.get("start", 1)))
        elif name == "bullet_list_open":
            self._lists.append(None)
        elif name in ("ordered_list_close", "bullet_list_close"):
            self._lists.pop()
        elif name == "list_item_open":
            number = self._lists[-1]
            self._marker = "•" if number is None else f"{number}."
            self._lists[-1] = None if number is None else number + 1
        elif name == "list_item_close":
            self._marker = ""
        elif name in ("blockquote_open", "blockquote_close"):
            self._num_quotes += token.nesting
        elif name in ("heading_open", "heading_close"):
            self._heading = int(token.tag[1]) if token.nesting == 1 else 0
        elif name == "tr_open":
            self._row = []

    def _take_marker(self) -> str:
        marker, self._marker = self._marker, ""
        return marker


def _spans(children: "Sequence[Token]") -> Iterator[Span]:
    styles = {"bold": 0, "italic": 0}
    for child in children:
        name = child.type.rpartition("_")[0]
        if name in _STYLES:
            styles[_STYLES[name]] += child.nesting
        elif child.type in ("softbreak", "hardbreak"):
            yield Span("\n")
        elif child.type == "image":
            yield Span(f"[{child.content}]")
        elif child.content:
            yield Span(child.content, styles["bold"] > 0, styles["italic"] > 0, child.type == "code_inline")
