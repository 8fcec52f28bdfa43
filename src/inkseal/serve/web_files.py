"""The browser studio's files: which there are, how a browser is told of them, and under which policy they run."""

import gzip
import json
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from pathlib import Path, PurePosixPath
from typing import Any

HERE = Path(__file__).with_name("web")
PREFIX = "/web/"
TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
}
STYLES_FIRST = ("tokens", "base")
FOUND = "<!-- found -->"
_IMPORT = re.compile(r"""^(?:import|export)\b[^;]*?["']([^"';\n]+)["'];""", re.MULTILINE)
_PAGE = re.compile(r"^export const page = \{(.*?)\};", re.MULTILINE | re.DOTALL)
_FACT = re.compile(r'\b(name|icon|role|layout|order|hidden): ("[a-z_]+"|\d+|true)')
_TITLE = re.compile(r'title: \{ en: ("[^"]*"), zh: ("[^"]*") \}')
_IMPORT_MAP = re.compile(r'<script type="importmap">(.*?)</script>', re.DOTALL)


@dataclass(frozen=True)
class Content:
    """One file as it is sent; `packed` is the same with gzip, for browsers that take it."""

    data: bytes
    packed: bytes
    media_type: str
    etag: str


class WebFiles:
    """The files of a folder, listed once and read again when they have changed.

    Args:
        folder: holds `index.html`, `app.js`, `core/`, `ui/`, `pages/`, `styles/`, `vendor/`.
    """

    def __init__(self, folder: Path = HERE) -> None:
        found = (path for path in folder.rglob("*") if path.suffix in TYPES and path.is_file())
        self._paths = {path.relative_to(folder).as_posix(): path for path in found}
        self._read: dict[str, tuple[tuple[int, int], bytes]] = {}
        self._made: dict[str, Content] = {}

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._paths)

    def content(self, name: str) -> Content | None:
        """Returns a file by the name it was listed under; None when there is none, so no path is ever tried."""
        if name not in self._paths:
            return None
        return self._content(name, self._bytes(name), TYPES[PurePosixPath(name).suffix])

    def start(self, language: str) -> Content:
        """Returns the page that starts the studio, with what there is written into it.

        Args:
            language: of the installation; empty leaves the choice to the browser.
        """
        page = self._text("index.html").replace(FOUND, "\n".join(self._found(language)))
        return self._content("", page.encode(), TYPES[".html"])

    def policy(self) -> str:
        """Returns the content policy: our own files and the one import map, nothing else."""
        match = _IMPORT_MAP.search(self._text("index.html"))
        assert match is not None, "index.html has an import map"
        digest = b64encode(sha256(match[1].encode()).digest()).decode()
        return (
            f"default-src 'none'; script-src 'self' 'sha256-{digest}'; style-src 'self'; img-src 'self' blob:; "
            "media-src 'self' blob:; font-src 'self'; connect-src 'self'; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )

    def _found(self, language: str) -> Iterator[str]:
        shell = self._imported(["app.js"])
        pages = [name for name in sorted(self._paths) if re.fullmatch(r"pages/[a-z_]+\.js", name)]
        yield _meta("inkseal-pages", json.dumps([self._page(name, shell) for name in pages], ensure_ascii=False))
        yield _meta("inkseal-language", language)
        names = [name[7:-4] for name in self._paths if re.fullmatch(r"styles/[a-z_]+\.css", name)]
        for name in sorted(names, key=lambda name: (name not in STYLES_FIRST, name != STYLES_FIRST[0], name)):
            yield f'<link rel="stylesheet" href="{PREFIX}styles/{name}.css">'
        # Known beforehand, a chain of imports is fetched at once and not file after file.
        for name in shell:
            yield f'<link rel="modulepreload" href="{PREFIX}{name}">'

    def _page(self, name: str, shell: list[str]) -> dict[str, Any]:
        """Returns what the navigation shows of a page, and the files that are fetched when it is opened."""
        match = _PAGE.search(self._text(name))
        assert match is not None, f"{name} exports its page"
        facts: dict[str, Any] = {field[1]: json.loads(field[2]) for field in _FACT.finditer(match[1])}
        title = _TITLE.search(match[1])
        assert title is not None, f"{name} has a title"
        facts["title"] = {"en": json.loads(title[1]), "zh": json.loads(title[2])}
        styles = [f"{name[:-3]}.css"] if f"{name[:-3]}.css" in self._paths else []
        return facts | {"files": [found for found in self._imported([name]) if found not in shell], "styles": styles}

    def _imported(self, names: list[str]) -> list[str]:
        bare = self._bare()
        seen = dict.fromkeys(names)
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            for target in _IMPORT.findall(self._text(name)):
                found = bare.get(target) or _joined(name, target)
                if found in self._paths and found not in seen:
                    seen[found] = None
                    waiting.append(found)
        return list(seen)

    def _bare(self) -> Mapping[str, str]:
        match = _IMPORT_MAP.search(self._text("index.html"))
        table: dict[str, str] = json.loads(match[1])["imports"] if match else {}
        return {name: path.removeprefix(PREFIX) for name, path in table.items()}

    def _content(self, name: str, data: bytes, media_type: str) -> Content:
        """Returns a content; what has not changed is not packed again."""
        etag = f'"{sha256(data).hexdigest()[:32]}"'
        made = self._made.get(name)
        if made is None or made.etag != etag:
            made = self._made[name] = Content(data, gzip.compress(data, mtime=0), media_type, etag)
        return made

    def _text(self, name: str) -> str:
        return self._bytes(name).decode("utf-8")

    def _bytes(self, name: str) -> bytes:
        path = self._paths[name]
        facts = path.stat()
        stamp = (facts.st_mtime_ns, facts.st_size)
        known = self._read.get(name)
        if known is None or known[0] != stamp:
            known = self._read[name] = (stamp, path.read_bytes())
        return known[1]


def _meta(name: str, value: str) -> str:
    return f'<meta name="{name}" content="{escape(value)}">'


def _joined(name: str, target: str) -> str:
    """Returns where a relative import leads."""
    steps = list(PurePosixPath(name).parent.parts)
    for step in target.split("/"):
        if step == "..":
            steps = steps[:-1]
        elif step != ".":
            steps.append(step)
    return "/".join(steps)
