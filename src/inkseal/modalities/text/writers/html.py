"""One HTML page: readable on a telephone and in the dark, and it can run and fetch nothing.

Content is Markdown; raw HTML in it is shown as text, pictures are not fetched, links lead only to the web or to mail.
"""

import base64
import html
import re
from collections.abc import Sequence
from hashlib import sha256
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any, ClassVar

from inkseal.core.errors import InvalidRequest
from inkseal.core.language import say
from inkseal.core.protocols import Rendering
from inkseal.modalities.text import charts
from inkseal.modalities.text.blocks import converter, one_newline
from inkseal.modalities.text.typefaces import label_font

if TYPE_CHECKING:
    from markdown_it.token import Token

_STYLE = """
:root{color-scheme:light dark}
body{max-width:42rem;margin:0 auto;padding:1.25rem;font:1.0625rem/1.75 system-ui,"PingFang SC","Microsoft YaHei",
"Noto Sans CJK SC",sans-serif;overflow-wrap:anywhere}
aside{border-inline-start:.25rem solid currentColor;padding:.1rem .75rem;margin-block-end:1.5rem;font-size:.9375rem}
aside p{margin:.25rem 0}
h1,h2,h3,h4,h5,h6{line-height:1.3}
pre{overflow-x:auto;padding:.75rem;border:1px solid;border-radius:.375rem;line-height:1.5}
code{font-family:ui-monospace,Menlo,Consolas,monospace;font-size:.9375em}
blockquote{margin-inline:0;padding-inline-start:1rem;border-inline-start:.1875rem solid}
table{border-collapse:collapse;display:block;overflow-x:auto}
th,td{border:1px solid;padding:.25rem .625rem;text-align:start}
figure{margin:1.5rem 0}
svg{width:100%;height:auto}
figure pre{position:absolute;width:1px;height:1px;margin:0;overflow:hidden;clip-path:inset(50%)}
"""
_LABEL_FONT = """@font-face{{font-family:label;src:url(data:font/otf;base64,{font})}}
aside{{font-family:label,system-ui,sans-serif}}
"""
_NOT_HTML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]")
"""Characters that no HTML document may hold."""

_BLOCKS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "li", "pre", "blockquote", "tr", "hr", "table"})
_AREAS = frozenset({"title", "style", "script", "aside", "main", "svg"})
_PREFIX = "inkseal:"


class Html:
    """A page that stands alone."""

    name: ClassVar[str] = "html"
    media_type: ClassVar[str] = "text/html"
    suffix: ClassVar[str] = ".html"

    def write(self, rendering: Rendering) -> bytes:
        """Returns the page; characters that HTML cannot hold become U+FFFD."""
        metas = [("viewport", "width=device-width, initial-scale=1"), ("generator", "Inkseal")]
        metas += [(f"{_PREFIX}{key}" if key in dict(metas) else key, v) for key, v in rendering.metadata.items()]
        labels = "".join(f"<p>{_text(label)}</p>\n" for label in rendering.visible_labels)
        style = _STYLE + _label_font("".join(rendering.visible_labels))
        lines = [
            "<!doctype html>",
            f'<html lang="{_attribute(rendering.language or "und")}">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_attribute(_policy(style))}">',
            *(f'<meta name="{_attribute(name)}" content="{_attribute(value)}">' for name, value in metas),
            f"<title>{_text(rendering.title or 'Inkseal')}</title>",
            f"<style>{style}</style>",
            "</head>",
            "<body>",
            *([f'<aside role="note">\n{labels}</aside>'] if labels else []),
            f"<main>\n{_body(rendering.content.decode('utf-8'))}</main>",
            "</body>",
            "</html>",
            "",
        ]
        return "\n".join(lines).encode("utf-8")

    def read(self, data: bytes) -> Rendering:
        """Returns labels, metadata and the words of the page; formatting is gone.

        Raises:
            InvalidRequest: it is not UTF-8, or not HTML.
        """
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            text = ""
        if not re.match(r"\s*<(!doctype\s+html|html)\b", text, re.IGNORECASE):
            raise InvalidRequest(say("This is not an HTML page in UTF-8.", "这不是 UTF-8 编码的 HTML 页面。"))
        page = _Page()
        page.feed(text)
        page.close()
        content = "".join(page.main or page.rest)
        return Rendering(
            content=re.sub(r"\n{3,}", "\n\n", content).strip("\n").encode("utf-8"),
            title="".join(page.title),
            language=page.language,
            visible_labels=tuple(label for label in page.labels if label),
            metadata={name.removeprefix(_PREFIX): value for name, value in page.metas.items()},
        )


def _policy(style: str) -> str:
    digest = base64.b64encode(sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; font-src data:; "
        "img-src 'none'; base-uri 'none'; form-action 'none'"
    )


def _label_font(labels: str) -> str:
    """Returns the style that lets a label be read where no Chinese font is installed: some hundred bytes a letter."""
    if labels.isascii():
        return ""
    return _LABEL_FONT.format(font=base64.b64encode(label_font(labels)).decode())


def _text(value: str) -> str:
    return html.escape(_clean(value), quote=False)


def _attribute(value: str) -> str:
    return html.escape(_clean(value)).replace("\n", "&#10;").replace("\r", "&#13;").replace("\t", "&#9;")


def _clean(value: str) -> str:
    return _NOT_HTML.sub("\ufffd", value)


def _body(content: str) -> str:
    reader = converter()
    reader.add_render_rule("image", _picture)
    reader.add_render_rule("link_open", _link)
    reader.add_render_rule("fence", _fence)
    body: str = reader.render(_clean(one_newline(content)))
    return body


def _picture(renderer: Any, tokens: "Sequence[Token]", at: int, options: Any, env: Any) -> str:
    return f"[{_text(tokens[at].content)}]"


def _link(renderer: Any, tokens: "Sequence[Token]", at: int, options: Any, env: Any) -> str:
    return f'<a href="{_attribute(str(tokens[at].attrs.get("href", "")))}" rel="noopener noreferrer nofollow">'


def _fence(renderer: Any, tokens: "Sequence[Token]", at: int, options: Any, env: Any) -> str:
    """Draws a chart above its lines, which stay for those who cannot see it and are what is read again."""
    code: str = renderer.fence(tokens, at, options, env)
    if tokens[at].info.strip() != charts.INFO:
        return code
    try:
        drawing = charts.svg(charts.read_chart(tokens[at].content))
    except InvalidRequest:
        return code
    return f"<figure>{drawing}{code}</figure>\n"


class _Page(HTMLParser):
    """Gathers labels, metadata and words of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.language = ""
        self.metas: dict[str, str] = {}
        self.title: list[str] = []
        self.labels: list[str] = []
        self.main: list[str] = []
        self.rest: list[str] = []
        self._within: list[str] = []
        self._numbers: list[int | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "html":
            self.language = values.get("lang", "").replace("und", "")
        elif tag == "meta" and values.get("name", "").lower() not in ("", "viewport", "generator"):
            self.metas[values["name"]] = values.get("content", "")
        elif tag in _AREAS and (tag == "svg" or "svg" not in self._within):
            self._within.append(tag)
        if tag == "p" and "aside" in self._within:
            self.labels.append("")
        elif tag in ("ol", "ul"):
            start = values.get("start", "1")
            self._numbers.append(int(start) if tag == "ol" and start.isdecimal() else None)
        elif tag == "li":
            self._words(f"\n\n{self._marker()} ")
        elif tag in _BLOCKS:
            self._words("\n\n")
        elif tag == "br":
            self._words("\n")
        elif tag in ("td", "th"):
            self._words(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._within:
            while self._within.pop() != tag:
                pass
        if tag in ("ol", "ul") and self._numbers:
            self._numbers.pop()
        if tag in _BLOCKS:
            self._words("\n\n")

    def _marker(self) -> str:
        """Returns what a browser puts before a list item."""
        number = self._numbers[-1] if self._numbers else None
        if number is None:
            return "•"
        self._numbers[-1] = number + 1
        return f"{number}."

    def handle_data(self, data: str) -> None:
        if "aside" in self._within:
            if self.labels:
                self.labels[-1] += data.strip("\n")
        elif "title" in self._within:
            self.title.append(data)
        else:
            self._words(data)

    def _words(self, data: str) -> None:
        if self._within and self._within[-1] in ("style", "script", "title", "aside", "svg"):
            return
        (self.main if "main" in self._within else self.rest).append(data)
