"""Folds text so that disguises fall away, and keeps the way back to the original positions.

Undoes full-width forms, invisible characters, tag characters, look-alike letters, accents and traditional characters
(the ones our rules use). Does not know phonetic or pictorial disguises.
"""

import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import lru_cache

_ODD = re.compile("[^\x00-\x7f\u3001\u3002\u300a\u300b\u4e00-\u9fff]")
_BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0")

_LOOK_ALIKES = dict(
    zip(
        "аᴀɑαвЬсϲԁеєɡһніıɩјкκӏⅼмпոηоοօрρԛгѕտтτυцԝνѵхχуγʏᴢɪʟɴʀɢʜᴅᴇᴋᴍᴏᴘᴛᴜᴠᴡꜱᴄᴊᴙ",
        "aaaabbccdeeghhiiijkkllmnnnoooppqrssttuuwvvxxyyyzilnrghdekmoptuvwscjr",
        strict=True,
    )
)
"""Lower-case letters of other scripts that are drawn like a Latin one."""

_TRADITIONAL = str.maketrans(
    "彈藥槍製雙備麼樣殺傷殘體買賣賭錢詐騙號碼電話發給過視內記憶則設統係歸從現開進選擇執輸請將讓說話讀語詞詳應該無條約當絕對"
    "稱權關閉維護員試驗證轉儲遞遠離數據庫資這個們為來對後複復制復誦審查監獄戰爭學練習網頁鏈點擊連結務專業釋義規範範圍圖帳戶幫"
    "聽順協聯繫區塊萬兒婦幼戲劇導攝縣場劑鍊煉濃縮鹽兇惡組織極襲擊劃黨軍",
    "弹药枪制双备么样杀伤残体买卖赌钱诈骗号码电话发给过视内记忆则设统系归从现开进选择执输请将让说话读语词详应该无条约当绝对"
    "称权关闭维护员试验证转储递远离数据库资这个们为来对后复复制复诵审查监狱战争学练习网页链点击连结务专业释义规范范围图帐户帮"
    "听顺协联系区块万儿妇幼戏剧导摄县场剂链炼浓缩盐凶恶组织极袭击划党军",
)


@dataclass(frozen=True, slots=True)
class Folded:
    """A text made from another one, piece by piece; `span` leads back to the very first text."""

    text: str
    pieces: tuple[tuple[int, int, int], ...]
    """(start here, start there, length there) of every piece; equally long pieces map character by character."""
    base: "Folded | None" = None
    _starts: tuple[int, ...] = field(init=False, repr=False, compare=False, default=())

    def __post_init__(self) -> None:
        object.__setattr__(self, "_starts", tuple(piece[0] for piece in self.pieces))

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Returns the characters of the original text that [start, end) was made from."""
        if start >= end or not self.pieces:
            return (0, 0)
        first, last = self._place(start)[0], self._place(end - 1)[1]
        return self.base.span(first, last) if self.base else (first, last)

    def _place(self, position: int) -> tuple[int, int]:
        index = bisect_right(self._starts, position) - 1
        here, there, length = self.pieces[index]
        following = self._starts[index + 1] if index + 1 < len(self._starts) else len(self.text)
        if following - here == length:
            return (there + position - here, there + position - here + 1)
        return (there, there + length)


@lru_cache(maxsize=8192)
def fold_char(char: str) -> str:
    """Returns what one character stands for, in lower case when it is not ASCII; empty for an invisible one."""
    code = ord(char)
    if 0xE0020 <= code <= 0xE007E:
        return chr(code - 0xE0000)
    if char in _BLANKS or unicodedata.category(char) in ("Cf", "Mn", "Me", "Cs"):
        return ""
    known = _LOOK_ALIKES.get(char) or _LOOK_ALIKES.get(char.lower())
    if known:
        return known if char in _LOOK_ALIKES else known.upper()
    plain = unicodedata.normalize("NFKC", char)
    bare = "".join(c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c))
    return bare if bare.isascii() else plain


def fold(text: str, *, lower: bool = True) -> Folded:
    """Returns the folded text; with `lower` also without upper case. Linear in the length."""
    parts: list[str] = []
    pieces: list[tuple[int, int, int]] = []
    here = done = 0
    for match in _ODD.finditer(text):
        there = match.start()
        new = fold_char(text[there])
        if lower:
            new = new.lower()
        if len(new) == 1:
            parts += (text[done:there], new)
            pieces += [(here, done, there + 1 - done)]
            here += there + 1 - done
        else:
            if there > done:
                parts.append(text[done:there])
                pieces.append((here, done, there - done))
                here += there - done
            if new:
                parts.append(new)
                pieces.append((here, there, 1))
                here += len(new)
        done = there + 1
    if done < len(text):
        parts.append(text[done:])
        pieces.append((here, done, len(text) - done))
    joined = "".join(parts).translate(_TRADITIONAL)
    return Folded(_ascii_lower(joined) if lower else joined, tuple(pieces))


def _ascii_lower(text: str) -> str:
    small = text.lower()
    # A handful of letters grow when lowered; the map must not move.
    return small if len(small) == len(text) else "".join(c.lower() if c.isascii() else c for c in text)


_HAN_GAP = re.compile(r"(?<=[\u4e00-\u9fff])[ \t.\-_*·•|~+#/\\^=]{1,3}(?=[\u4e00-\u9fff])")
_SPELT = re.compile(r"(?<![a-z0-9])[a-z]([ .\-_*]{1,2})[a-z](?:\1[a-z]){1,40}(?![a-z0-9])")
_GAP = re.compile(r"[ .\-_*]+")
_LEET = re.compile(r"(?<=[a-z])[0134578@$!](?=[a-z])")
_LEET_LETTERS = str.maketrans("0134578@$!", "oieastbasi")


def squeeze(folded: Folded) -> Folded:
    """Returns lower-case folded text without signs put between Chinese characters or single letters, and without
    digits standing for letters: `炸 弹`, `炸.弹`, `b.o.m.b` and `b0mb` become the words they hide.
    """
    text = _LEET.sub(lambda m: m.group().translate(_LEET_LETTERS), folded.text)
    cuts = [match.span() for match in _HAN_GAP.finditer(text)]
    for spelt in _SPELT.finditer(text):
        cuts += [gap.span() for gap in _GAP.finditer(text, *spelt.span())]
    if not cuts:
        return Folded(text, ((0, 0, len(text)),) if text else (), folded)
    parts: list[str] = []
    pieces: list[tuple[int, int, int]] = []
    here = done = 0
    for start, end in [*sorted(cuts), (len(text), len(text))]:
        if start > done:
            parts.append(text[done:start])
            pieces.append((here, done, start - done))
            here += start - done
        done = max(done, end)
    return Folded("".join(parts), tuple(pieces), folded)
