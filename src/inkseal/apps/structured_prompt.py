"""The structured template `主题: 环保; 风格: 卡通; 元素: 地球 树木 太阳能板`: read and written, both ways.

Keys in Chinese or English; colons, semicolons and commas of either width; also one entry a line. A text with none of
this is a subject alone. Values that hold a mark of the form are written in quotation marks.
"""

import re
from typing import NamedTuple

from inkseal.core.errors import InvalidRequest
from inkseal.core.language import Language, say

MAX_CHARS = 4_000
MAX_ENTRIES = 40
MAX_ELEMENTS = 60
KEYS: dict[str, tuple[str, str]] = {
    "subject": ("subject", "主题"),
    "style": ("style", "风格"),
    "elements": ("elements", "元素"),
    "mood": ("mood", "氛围"),
    "colours": ("colours", "色彩"),
    "composition": ("composition", "构图"),
    "avoid": ("avoid", "避免"),
}
"""Our name → English and Chinese word."""
_ALIASES = {
    "topic": "subject", "theme": "subject", "题材": "subject", "题目": "subject",
    "画风": "style", "element": "elements", "要素": "elements",
    "气氛": "mood", "情绪": "mood",
    "colors": "colours", "color": "colours", "colour": "colours", "颜色": "colours", "配色": "colours",
    "layout": "composition", "negative": "avoid", "不要": "avoid",
}  # fmt: skip
_NAMES = {word.casefold(): key for key, words in KEYS.items() for word in words} | _ALIASES
_LISTS = frozenset({"elements", "colours", "avoid"})
_QUOTES = {'"': '"', "“": "”", "「": "」"}
_COLON = re.compile(r"\s*[:：]\s*")
_NEEDS_QUOTES = re.compile(r'[;；:：,，、\n\r"“”「」\\]|^\s|\s$|^$')


class StructuredPrompt(NamedTuple):
    """What a template says, in the order it says it: known keys by our names, others as they stand."""

    entries: tuple[tuple[str, tuple[str, ...]], ...]

    def get(self, key: str) -> tuple[str, ...]:
        """Returns the values of a key; () when it is not there."""
        return next((values for name, values in self.entries if name == key), ())


def parse(text: str) -> StructuredPrompt:
    """Returns what a structured template says.

    Raises:
        InvalidRequest: it is empty, too long, says a key twice, or leaves a quotation open.
    """
    if len(text) > MAX_CHARS:
        raise _refused(say(f"more than {MAX_CHARS} characters", f"超过 {MAX_CHARS} 个字符"))
    found: dict[str, tuple[str, ...]] = {}
    for piece in _cut(text, ";；\n\r"):
        if not piece.strip():
            continue
        key, value = _entry(piece.strip())
        if key is None:
            if found or not piece.strip():
                raise _refused(say(f"{piece.strip()[:40]!r} has no key", f"“{piece.strip()[:40]}”没有键"))
            key, value = "subject", piece.strip()
        if key in found:
            raise _refused(say(f"{key!r} stands there twice", f"“{key}”出现了两次"))
        found[key] = _values(key, value)
    if not found:
        raise _refused(say("it is empty", "内容为空"))
    if len(found) > MAX_ENTRIES or any(len(values) > MAX_ELEMENTS for values in found.values()):
        raise _refused(say("it says too much", "条目过多"))
    return StructuredPrompt(tuple(found.items()))


def build(prompt: StructuredPrompt, language: Language) -> str:
    """Returns the template as text, in one line, with the keys of a language; `parse` gives the same back."""
    semicolon, colon = ("；", "：") if language == "zh" else ("; ", ": ")
    place = 1 if language == "zh" else 0
    return semicolon.join(
        f"{KEYS[key][place] if key in KEYS else _quoted(key, is_list=False)}{colon}"
        + " ".join(_quoted(value, is_list=key in _LISTS) for value in values)
        for key, values in prompt.entries
    )


def _quoted(value: str, *, is_list: bool) -> str:
    if not _NEEDS_QUOTES.search(value) and not (is_list and re.search(r"\s", value)):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r") + '"'


def _cut(text: str, marks: str) -> list[str]:
    """Cuts at marks that stand outside of quotation marks."""
    pieces, begin, at = [], 0, 0
    while at < len(text):
        if text[at] in _QUOTES:
            at = _past_quote(text, at)
        elif text[at] in marks:
            pieces.append(text[begin:at])
            begin = at = at + 1
        else:
            at += 1
    return [*pieces, text[begin:]]


def _past_quote(text: str, at: int) -> int:
    end = _QUOTES[text[at]]
    at += 1
    while at < len(text):
        if text[at] == "\\":
            at += 2
        elif text[at] == end:
            return at + 1
        else:
            at += 1
    raise _refused(say("a quotation is not closed", "引号没有闭合"))


def _entry(piece: str) -> tuple[str | None, str]:
    if piece[0] in _QUOTES:
        end = _past_quote(piece, 0)
        name, rest = _bare(piece[:end]), piece[end:]
        colon = _COLON.match(rest)
        return (name, rest[colon.end() :]) if colon else (None, piece)
    colon = _COLON.search(piece)
    if colon is None or not piece[: colon.start()].strip():
        return None, piece
    name = piece[: colon.start()].strip()
    return _NAMES.get(name.casefold(), name), piece[colon.end() :]


def _values(key: str, text: str) -> tuple[str, ...]:
    pieces = _cut(text, ",，、 \t\u3000") if key in _LISTS else [text]
    return tuple(_bare(piece.strip()) for piece in pieces if piece.strip())


def _bare(piece: str) -> str:
    """Returns what stands between quotation marks; a piece without them as it is."""
    if not piece or piece[0] not in _QUOTES or _past_quote(piece, 0) != len(piece):
        return piece
    inner = piece[1:-1]
    return re.sub(r"\\(.)", lambda m: {"n": "\n", "r": "\r"}.get(m[1], m[1]), inner, flags=re.DOTALL)


def _refused(why: str) -> InvalidRequest:
    return InvalidRequest(
        say(f"The structured prompt cannot be read: {why}.", f"结构化提示无法解析：{why}。"),
        fix=say("Write `subject: …; style: …; elements: a b c`.", "请写成 `主题: …; 风格: …; 元素: 甲 乙 丙`。"),
    )
