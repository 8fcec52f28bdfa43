"""Finds font files that have the characters of a text. Ours holds the label wordings only; Chinese needs another."""

import os
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from inkseal.core.config import default_data_dir
from inkseal.core.errors import Unsupported
from inkseal.core.language import say

CARD = "noto-sans-sc"
LABELS_ONLY = Path(__file__).parent / "fonts" / "labels.otf"

_FOLDERS = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "~/.local/share/fonts",
    "~/.fonts",
    "/System/Library/Fonts",
    "/Library/Fonts",
    "~/Library/Fonts",
    "C:/Windows/Fonts",
)
_NAMES = (
    "NotoSansSC-Regular.otf",
    "NotoSansSC-Regular.ttf",
    "SourceHanSansSC-Regular.otf",
    "NotoSansCJKsc-Regular.otf",
    "NotoSansCJK-Regular.ttc",
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
    "DroidSansFallbackFull.ttf",
    "PingFang.ttc",
    "Hiragino Sans GB.ttc",
    "msyh.ttc",
    "NotoSans-Regular.ttf",
    "DejaVuSans.ttf",
)
"""Known families in order of preference for Chinese."""

_NUMBER_IN_COLLECTION = {"NotoSansCJK-Regular.ttc": 2}
"""Simplified Chinese is not the first face of every collection."""


class Typeface(NamedTuple):
    """A font file, the face in it, and the characters it has."""

    path: Path
    number: int
    characters: frozenset[int]


def typefaces_for(text: str, paths: Sequence[Path] = ()) -> list[Typeface]:
    """Returns as few typefaces as have every character of the text, in order of preference.

    Args:
        text: what will be shown; white space and controls do not count.
        paths: font files to look at; those of this machine when empty.

    Raises:
        Unsupported: a character is in none of them; says what to install.
    """
    missing = {ord(c) for c in text if not c.isspace() and unicodedata.category(c)[0] != "C"}
    chosen = []
    for path in paths or font_files():
        if not missing:
            break
        face = read_typeface(path)
        if missing & face.characters:
            chosen.append(face)
            missing -= face.characters
    if missing:
        raise _no_font(missing)
    return chosen


def font_files() -> list[Path]:
    """Returns the font files that are there, best first: named by INKSEAL_FONT, fetched, the system's, ours."""
    named = [Path(path) for path in os.environ.get("INKSEAL_FONT", "").split(os.pathsep) if path]
    fetched = sorted((default_data_dir() / "models" / CARD).glob("*.[ot]t[fc]"))
    return [*named, *fetched, *_system_fonts(), LABELS_ONLY]


@cache
def _system_fonts() -> tuple[Path, ...]:
    found: dict[str, Path] = {}
    for folder in _FOLDERS:
        for parent, _, files in os.walk(Path(folder).expanduser()):
            for name in set(files) & set(_NAMES):
                found.setdefault(name, Path(parent) / name)
    return tuple(found[name] for name in _NAMES if name in found)


@cache
def read_typeface(path: Path) -> Typeface:
    """Returns which characters a font file has.

    Raises:
        Unsupported: it is not a font.
    """
    from fontTools.ttLib import TTFont, TTLibError

    number = _NUMBER_IN_COLLECTION.get(path.name, 0)
    try:
        with TTFont(path, fontNumber=number, lazy=True) as font:
            return Typeface(path, number, frozenset(font.getBestCmap() or ()))
    except (OSError, TTLibError) as error:
        raise Unsupported(say(f"The font {path} cannot be read: {error}", f"无法读取字体 {path}：{error}")) from None


def spelled_out(text: str, has: Iterable[frozenset[int]]) -> str:
    """Returns the text with symbols that no typeface has written as their names; a box would say nothing."""
    known = frozenset().union(*has)
    return "".join(_spelled(c) if ord(c) not in known else c for c in text)


def _spelled(character: str) -> str:
    category = unicodedata.category(character)
    if category in ("Cf", "Mn") or 0xFE00 <= ord(character) <= 0xFE0F:
        return ""
    if category in ("So", "Sk", "Sm"):
        return f"[{unicodedata.name(character, f'U+{ord(character):04X}').lower()}]"
    return character


def _no_font(missing: set[int]) -> Unsupported:
    shown = " ".join(chr(code) for code in sorted(missing)[:8])
    return Unsupported(
        say(f"No font here has these characters: {shown}", f"本机没有包含这些字符的字体：{shown}"),
        fix=say(
            f"Run: inkseal models pull {CARD}; or install a Chinese font (Debian: fonts-wqy-microhei), or name a font "
            "file in INKSEAL_FONT.",
            f"请运行：inkseal models pull {CARD}；或安装中文字体（Debian：fonts-wqy-microhei），"
            "或用 INKSEAL_FONT 指定字体文件。",
        ),
    )


@cache
def label_font(text: str) -> bytes:
    """Returns an OpenType font of the label wordings' letters that occur in `text`, about 200 bytes a letter."""
    import io

    from fontTools import subset

    options = subset.Options(layout_features=[], name_IDs=[], hinting=False, notdef_outline=True)
    font = subset.load_font(io.BytesIO(LABELS_ONLY.read_bytes()), options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(text=text)
    subsetter.subset(font)
    font["head"].modified = font["head"].created  # the same bytes each time
    made = io.BytesIO()
    subset.save_font(font, made, options)
    return made.getvalue()
