"""How a prompt becomes the condition of a picture model: the whole prompt, then its first words, each embedded.

The same in training and serving, in Chinese and English. Knows no embedding model: callers bring the vectors.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from inkseal.modalities.text.segmentation import segment

NUM_WORDS = 8
NUM_PLACES = 1 + NUM_WORDS
MAX_CHARS = 1000
"""Of a prompt; what follows does not change the condition."""

_ENGLISH = "a an the of with and or in on at to for by from is are it its this that as be"
_CHINESE = "的 了 和 与 或 在 是 着 把 被 一 个 一个 一只 一张 一幅 只 张 幅 这 那 及 地 得"
_STOP_WORDS = frozenset(f"{_ENGLISH} {_CHINESE}".split())
_ASKING = (
    re.compile(
        r"(?:please )?(?:(?:draw|paint|show|make|create|generate) (?:me |(?=(?:an? |the |some ))))?"
        r"(?:(?:an? |the )?(?:picture|image|drawing|icon|emoji|clip art) of )?"
        r"(?:an? (?!(?:to|and|or|button)\b|[a-z]\b)|the |some )?"
    ),
    re.compile(
        r"(?:请?(?:帮我|给我)?(?:画出?|绘制|生成)?"
        r"一(?!本正经|本万利|头雾水|条龙服务|把手|块儿|个月|台阶|位数|件套|张一弛)"
        r"(?:[张幅](?:图片|图像|图标|图画|画)(?:[:,]\s*|$)|([张幅只个辆把朵座架颗块条台位棵匹头本支件艘株枚])(?!\1)))?"
    ),
)
"""What stands before the thing itself, in a prompt but hardly ever in a caption."""


def whole_text(prompt: str) -> str:
    """Returns the whole prompt as it is embedded: case does not matter, neither do full-width forms and blanks.

    "Draw a red apple" and 一只乌龟 are embedded as "red apple" and 乌龟, which is how captions name them.
    """
    text = " ".join(unicodedata.normalize("NFKC", prompt[:MAX_CHARS]).casefold().split())
    while rest := text[_leading(text) :].strip():
        if rest == text:
            break
        text = rest
    return text


def _leading(text: str) -> int:
    """Returns how many characters ask for a picture rather than say what is on it."""
    return max(found.end() for pattern in _ASKING if (found := pattern.match(text)))


def condition_texts(prompt: str) -> tuple[str, ...]:
    """Returns the texts to embed for a prompt: itself, then its first words that carry meaning.

    At most NUM_PLACES texts; none for a prompt of blanks.
    """
    whole = whole_text(prompt)
    if not whole:
        return ()
    words = [word for word in segment(whole) if word not in _STOP_WORDS and any(c.isalnum() for c in word)]
    return whole, *words[:NUM_WORDS]


def assemble_condition(texts: Sequence[str], vectors: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[np.float32]:
    """Returns the condition [NUM_PLACES, D]: a row for each text, zeros where there is none.

    Args:
        texts: of `condition_texts`.
        vectors: text → embedding [D], of at least these texts. Rounded to half precision, as training saw them.

    Raises:
        KeyError: a text has no vector.
        ValueError: there is nothing to tell D by, or too many texts.
    """
    if not vectors or len(texts) > NUM_PLACES:
        raise ValueError(f"{len(vectors)} vectors, {len(texts)} texts")
    width = len(next(iter(vectors.values())))
    condition = np.zeros((NUM_PLACES, width), np.float32)
    for place, text in enumerate(texts):
        condition[place] = vectors[text].astype(np.float16)
    return condition


def look_up_conditions(captions: npt.NDArray[np.int32], vectors: npt.NDArray[np.float16]) -> npt.NDArray[np.float32]:
    """Returns the conditions [B, NUM_PLACES, D] of captions [B, NUM_PLACES]: rows of `vectors` [U, D], -1 = zeros."""
    found = vectors[np.maximum(captions, 0)].astype(np.float32)
    found[captions < 0] = 0
    return found
