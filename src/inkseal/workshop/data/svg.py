"""Makes a stranger's SVG harmless before it is drawn: only shapes that refer to themselves are left.

Anything that could fetch, run, or grow without bound is refused; what is merely foreign is taken out.
"""

import re
import xml.etree.ElementTree as ET

SVG = "http://www.w3.org/2000/svg"
_HREFS = ("href", "{http://www.w3.org/1999/xlink}href")
MAX_CHARS = 1_000_000
MAX_ELEMENTS = 20_000
MAX_DEPTH = 64
MAX_USES = 500
MAX_ASPECT = 8.0

_DROPPED = frozenset(
    {"metadata", "title", "desc", "foreignObject", "cursor", "view", "color-profile"}
    | {"animate", "animateColor", "animateMotion", "animateTransform", "set", "discard"}
)
_REFUSED = frozenset({"script", "image", "feImage", "iframe", "audio", "video", "handler", "listener"})
_LETTERS = frozenset({"text", "textPath", "tspan", "tref", "font", "glyph", "flowRoot"})
_DOCTYPE = re.compile(r"<!DOCTYPE[^\[>]*>", re.IGNORECASE)
_OUTSIDE = re.compile(r"url\(\s*['\"]?(?!#)[^)]|@import|expression\s*\(|javascript:", re.IGNORECASE)
_LENGTH = re.compile(r"\s*([0-9]{1,7}(?:\.[0-9]{1,9})?)\s*(px|pt|mm|cm|in|pc)?\s*")
_UNIT_PX = {"px": 1.0, "pt": 96 / 72, "pc": 16.0, "in": 96.0, "cm": 96 / 2.54, "mm": 96 / 25.4}


class SvgRefused(ValueError):
    """The drawing cannot be taken; the reason is a short stable word."""


def harmless_svg(text: str) -> str:
    """Returns the drawing without anything foreign, ready for a renderer.

    Raises:
        SvgRefused: too_large, entities, not_svg, refers_outside, active, letters, too_deep, too_narrow.
    """
    if len(text) > MAX_CHARS:
        raise SvgRefused("too_large")
    if not text:
        raise SvgRefused("not_svg")
    text = _DOCTYPE.sub("", text, count=1)
    if "<!" in text.replace("<!--", "").replace("<![CDATA[", ""):
        raise SvgRefused("entities")
    try:
        root = ET.fromstring(text.removeprefix("\ufeff"))  # noqa: S314 - bounded, and free of entities
    except (ET.ParseError, ValueError, RecursionError):
        raise SvgRefused("not_svg") from None
    if root.tag not in (f"{{{SVG}}}svg", "svg"):
        raise SvgRefused("not_svg")
    if root.tag == "svg":  # an old file that says no namespace means this one
        for element in root.iter():
            element.tag = element.tag if element.tag.startswith("{") else f"{{{SVG}}}{element.tag}"
    _clean(root)
    _frame(root)
    ET.register_namespace("", SVG)
    return ET.tostring(root, encoding="unicode")


def _clean(root: ET.Element) -> None:
    """Walks without recursion, so that depth costs nothing; changes the tree."""
    waiting = [(root, 1)]
    num_elements = num_uses = 0
    while waiting:
        element, depth = waiting.pop()
        num_elements += 1
        num_uses += element.tag == f"{{{SVG}}}use"
        if num_elements > MAX_ELEMENTS or depth > MAX_DEPTH or num_uses > MAX_USES:
            raise SvgRefused("too_deep")
        _check_words(element)
        for child in list(element):
            name = child.tag.rpartition("}")[2]
            if name in _REFUSED:
                raise SvgRefused("active")
            if name in _LETTERS:
                raise SvgRefused("letters")
            if name in _DROPPED or not child.tag.startswith(f"{{{SVG}}}"):
                element.remove(child)
            else:
                waiting.append((child, depth + 1))


def _check_words(element: ET.Element) -> None:
    for key, value in list(element.attrib.items()):
        name = key.rpartition("}")[2].lower()
        if name.startswith("on"):
            raise SvgRefused("active")
        if key in _HREFS:
            if not value.startswith("#"):
                if element.tag != f"{{{SVG}}}a":
                    raise SvgRefused("refers_outside")
                del element.attrib[key]
        elif key.startswith("{"):
            del element.attrib[key]
        elif _OUTSIDE.search(value):
            raise SvgRefused("refers_outside")
    if element.text and _OUTSIDE.search(element.text):
        raise SvgRefused("refers_outside")


def _frame(root: ET.Element) -> None:
    """Gives the root a view box and no size of its own, so that the renderer's size holds."""
    box = root.get("viewBox", "").replace(",", " ").split()
    if len(box) != 4:
        sizes = [_LENGTH.fullmatch(root.get(name, "")) for name in ("width", "height")]
        if None in sizes:
            raise SvgRefused("no_size")
        box = ["0", "0", *(f"{float(found[1]) * _UNIT_PX[found[2] or 'px']:.6g}" for found in sizes if found)]
    try:
        width, height = float(box[2]), float(box[3])
    except ValueError:
        raise SvgRefused("no_size") from None
    if not (0 < width < 1e7 and 0 < height < 1e7):
        raise SvgRefused("no_size")
    if not 1 / MAX_ASPECT <= width / height <= MAX_ASPECT:
        raise SvgRefused("too_narrow")
    root.set("viewBox", " ".join(box))
    root.set("width", f"{width:g}")
    root.set("height", f"{height:g}")


def is_wide(harmless: str) -> bool:
    """Returns True when the longer side of a harmless drawing is its width."""
    root = ET.fromstring(harmless)  # noqa: S314 - our own output
    return float(root.get("width", "1")) >= float(root.get("height", "1"))
