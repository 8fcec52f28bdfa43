"""Turns a memory-mapped set of pictures with captions into the tensors that picture objectives train on."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from inkseal.core.errors import InvalidRequest
from inkseal.core.language import say
from inkseal.nets.shapes import ConditionShape

if TYPE_CHECKING:
    from torch import Tensor

SHEET_COLUMNS = 8
ENGLISH, CHINESE = 0, 1
"""Numbers of languages in `caption_language`."""


class PictureRow(Protocol):
    """What is known of one picture."""

    @property
    def style(self) -> str: ...

    @property
    def captions(self) -> Mapping[str, Sequence[str]]: ...


class Pictures(Protocol):
    """What an opened picture dataset offers; arrays may be memory-mapped."""

    @property
    def rows(self) -> Sequence[PictureRow]: ...

    pixels: npt.NDArray[Any]
    """uint8 [N, 3, S, S], red, green, blue."""
    vectors: npt.NDArray[Any]
    """float16 [U, D] unit vectors of texts."""
    captions: npt.NDArray[Any]
    """int32 [M, 9] numbers of vectors: the whole caption, then its words; -1 where there is none."""
    caption_row: npt.NDArray[Any]
    """int32 [M] the picture of a caption."""
    caption_language: npt.NDArray[Any]
    """uint8 [M] number of the caption's language."""

    def places(self, split: Any, /) -> npt.NDArray[np.int64]:
        """Returns the picture numbers of "train", "validation" or "held_out", ascending."""


class Condition(NamedTuple):
    """The three arguments of a conditional network."""

    tokens: "Tensor"
    mask: "Tensor"
    style: "Tensor"


class Conditions:
    """Finds captions of pictures, chooses among them, and makes conditions of them and of the pictures' styles.

    Attributes:
        styles: names of the dataset's styles; style number n is `styles[n - 1]`, and 0 stands for any.
    """

    def __init__(self, data: Pictures) -> None:
        self._data = data
        self.styles = tuple(sorted({row.style for row in data.rows}))
        numbers_of = {style: number for number, style in enumerate(self.styles, 1)}
        self._style = np.array([numbers_of[row.style] for row in data.rows], np.int64)
        self._order = np.lexsort((data.caption_language, data.caption_row))
        rows = np.asarray(data.caption_row)[self._order]
        numbers = np.arange(len(data.pixels))
        self._start = np.searchsorted(rows, numbers, side="left")
        self._end = np.searchsorted(rows, numbers, side="right")
        language = np.asarray(data.caption_language)[self._order].astype(np.int64)
        self._counts = np.zeros((len(numbers), int(language.max(initial=CHINESE)) + 1), np.int64)
        np.add.at(self._counts, (rows, language), 1)

    def check(self, shape: ConditionShape) -> None:
        """Refuses a network for which this dataset has too many styles or vectors of another width.

        Raises:
            InvalidRequest: naming both numbers.
        """
        wanted = (len(self.styles) + 1, self._data.captions.shape[1], self._data.vectors.shape[1])
        if shape.num_styles < wanted[0] or (shape.num_tokens, shape.text_width) != wanted[1:]:
            raise InvalidRequest(
                say(
                    f"The dataset needs num_styles ≥ {wanted[0]}, num_tokens = {wanted[1]}, text_width = {wanted[2]}.",
                    f"数据集需要 num_styles ≥ {wanted[0]}、num_tokens = {wanted[1]}、text_width = {wanted[2]}。",
                ),
                fix=say("Correct the shape in the recipe.", "请在配方的 shape 中更正。"),
            )

    def of(self, row: int) -> npt.NDArray[np.int64]:
        """Returns the numbers of all captions of a picture, grouped by language."""
        return self._order[self._start[row] : self._end[row]]

    def choose(self, rows: npt.NDArray[np.int64], rng: np.random.Generator) -> npt.NDArray[np.int64]:
        """Returns a caption number for each picture: first a language, then one of its captions; -1 without any."""
        of_language, of_caption = rng.random((2, len(rows)))
        counts = self._counts[rows]
        there = counts > 0
        wanted = (of_language * there.sum(1)).astype(np.int64)
        language = (there.cumsum(1) > wanted[:, None]).argmax(1)
        return self._at(rows, language, of_caption)

    def first(
        self, rows: npt.NDArray[np.int64], language: int | npt.NDArray[np.int64] | None = None
    ) -> npt.NDArray[np.int64]:
        """Returns each picture's first caption of a language, which is its name, or -1 without one.

        Without a language, the first of any.
        """
        found = (self._counts[rows] > 0).argmax(1) if language is None else np.broadcast_to(language, len(rows))
        return self._at(rows, found, np.zeros(len(rows)))

    def _at(
        self, rows: npt.NDArray[np.int64], language: npt.NDArray[np.int64], part: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.int64]:
        """Returns captions of one language for each picture: which of them, as a part of all in [0, 1)."""
        counts = self._counts[rows]
        mine = counts[np.arange(len(rows)), language]
        before = np.where(np.arange(counts.shape[1]) < language[:, None], counts, 0).sum(1)
        place = self._start[rows] + before + (part * mine).astype(np.int64)
        if not len(self._order):
            return np.full(len(rows), -1, np.int64)
        place = np.minimum(place, len(self._order) - 1)  # of those without any, which stand behind the last
        return np.where(mine > 0, self._order[place], -1)

    def untold(
        self, rows: npt.NDArray[np.int64], language: int | None = None
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Returns those rows, and their first captions of a language, which no training picture bears, even in part.

        Whole concepts are held out, but a broad caption ("bird, clip art") may stand on both sides, and a name may be a
        word of another's ("guitar profile").
        """
        captions = self.first(rows, language)
        trained = np.isin(self._data.caption_row, self._data.places("train"))
        told = np.isin(self._data.captions[captions, 0], self._data.captions[trained])
        fresh = (captions >= 0) & ~told
        return rows[fresh], captions[fresh]

    def of_captions(self, rows: npt.NDArray[np.int64], captions: npt.NDArray[np.int64]) -> Condition:
        """Returns what captions and the pictures' styles say: [B, 9, D] float32, [B, 9] bool, [B] int64."""
        import torch

        numbers = np.where(captions[:, None] >= 0, self._data.captions[captions], -1)
        mask = numbers >= 0
        tokens = self._data.vectors[np.where(mask, numbers, 0)].astype(np.float32) * mask[:, :, None]
        return Condition(torch.from_numpy(tokens), torch.from_numpy(mask), torch.from_numpy(self._style[rows]))


def to_pixels(data: Pictures, rows: npt.NDArray[np.int64]) -> "Tensor":
    """Returns pictures [B, 3, S, S] float32 in [-1, 1]."""
    import torch

    return torch.from_numpy(np.ascontiguousarray(data.pixels[rows])).float().div_(127.5).sub_(1)


def drop_condition(condition: Condition, rng: np.random.Generator, everything: float, style: float) -> Condition:
    """Hides all of the condition in a part `everything` of the rows, and in others only the style, in a part `style`.

    Source: Ho and Salimans 2022, "Classifier-Free Diffusion Guidance", algorithm 1.
    """
    import torch

    draws = torch.from_numpy(rng.random((2, len(condition.mask))))
    without = draws[0] < everything
    mask = condition.mask & ~without[:, None]
    styles = condition.style.masked_fill(without | (draws[1] < style), 0)
    return Condition(condition.tokens * mask[:, :, None], mask, styles)


def to_sheet(pictures: Sequence[Any], columns: int = SHEET_COLUMNS) -> npt.NDArray[np.uint8]:
    """Returns pictures [3, S, S] in [-1, 1] (tensors or arrays) side by side as [H, W, 3] uint8, white between."""
    if not pictures:
        return np.full((1, 1, 3), 255, np.uint8)
    side, gap = int(pictures[0].shape[-1]), 2
    num_rows = -(-len(pictures) // columns)
    sheet = np.full((num_rows * (side + gap), columns * (side + gap), 3), 255, np.uint8)
    for index, picture in enumerate(pictures):
        row, column = divmod(index, columns)
        bytes_ = np.clip(np.rint((np.asarray(picture, dtype=np.float32) + 1) * 127.5), 0, 255).astype(np.uint8)
        top, left = row * (side + gap), column * (side + gap)
        sheet[top : top + side, left : left + side] = bytes_.transpose(1, 2, 0)
    return sheet


def evenly(rows: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.int64]:
    """Returns at most `count` rows spread over all of them."""
    return (
        rows[np.unique(np.linspace(0, len(rows) - 1, min(count, len(rows))).round().astype(int))] if len(rows) else rows
    )


class CaptionedPictures:
    """Batches, held-out batches and sheets of pictures with conditions, for networks that work on pixels."""

    def __init__(self, data: Pictures, shape: ConditionShape) -> None:
        """Raises InvalidRequest when the network does not fit the dataset."""
        self._data = data
        self._conditions = Conditions(data)
        self._conditions.check(shape)
        self._train = data.places("train")
        self.styles = self._conditions.styles

    def num_examples(self) -> int:
        """Returns the size of the training split."""
        return len(self._train)

    def batch(
        self, indices: npt.NDArray[Any], rng: np.random.Generator, drop_everything: float, drop_style: float
    ) -> "dict[str, Tensor]":
        """Returns pixels, tokens, mask and style of training examples, some conditions hidden."""
        rows = self._train[indices]
        seen = self._conditions.of_captions(rows, self._conditions.choose(rows, rng))
        hidden = drop_condition(seen, rng, drop_everything, drop_style)
        return {"pixels": to_pixels(self._data, rows), **hidden._asdict()}

    def held_out(self, count: int, size: int = 32) -> "Iterator[dict[str, Tensor]]":
        """Yields batches of at most `count` held-out examples, the same every time."""
        rows = evenly(self._data.places("held_out"), count)
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            seen = self._conditions.of_captions(part, self._conditions.first(part))
            yield {"pixels": to_pixels(self._data, part), **seen._asdict()}

    def sheet(
        self, make: "Callable[[Tensor, Condition], Tensor]", noise_width: int, count: int = 16
    ) -> npt.NDArray[np.uint8]:
        """Returns rows of trained and held-out pictures, each above what `make` makes of noise and its condition."""
        import torch

        rows = np.concatenate([evenly(self._train, count), evenly(self._data.places("held_out"), count)])
        noise = torch.randn(len(rows), noise_width, generator=torch.Generator().manual_seed(0))
        made = make(noise, self._conditions.of_captions(rows, self._conditions.first(rows))).float()
        return to_sheet(side_by_side(to_pixels(self._data, rows), made))


def side_by_side(above: "Tensor", below: "Tensor", columns: int = SHEET_COLUMNS) -> "list[Tensor]":
    """Returns pictures in the order in which a sheet shows each row of `above` over the same row of `below`."""
    shown: list[Tensor] = []
    for start in range(0, len(above), columns):
        shown += [*above[start : start + columns], *below[start : start + columns]]
    return shown
