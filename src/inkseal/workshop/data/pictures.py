"""A built picture dataset, opened for reading: proved by its hashes, mapped into memory, numpy only."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from inkseal.catalog.verify import hash_file
from inkseal.core.errors import InvalidRequest, StoreError
from inkseal.core.language import say
from inkseal.formats.safetensors import Safetensors, read_header
from inkseal.formats.text_condition import NUM_PLACES, look_up_conditions
from inkseal.workshop.data.card import CARD, DATA_FILES, PIXELS, ROWS, TEXT, Card, hash_of
from inkseal.workshop.data.folder import restore
from inkseal.workshop.data.rows import SPLITS, Row, Split

_DTYPES = {"U8": np.uint8, "I32": np.int32, "F16": np.float16}


class PictureSet:
    """Pictures, rows and captions of one dataset; arrays are read-only views of the files."""

    def __init__(self, folder: Path, card: Card, rows: Sequence[Row], pictures: Safetensors, text: Safetensors) -> None:
        """Prefer `PictureSet.open`."""
        self.folder = folder
        self.card = card
        self.rows = tuple(rows)
        self.pixels = _array(pictures, "pixels")
        """uint8 [N, 3, 64, 64], RGB over white."""
        self.vectors = _array(text, "vectors")
        """float16 [U, D]"""
        self.captions = _array(text, "captions")
        """int32 [M, 9]: rows of `vectors`, the whole caption first, then its words; -1 is none."""
        self.caption_row = _array(text, "caption_row")
        """int32 [M]: the picture of each caption."""
        self.caption_language = _array(text, "caption_language")
        """uint8 [M]: 0 English, 1 Chinese."""

    @property
    def sha256(self) -> str:
        """Of the data; the card says so too."""
        return self.card.sha256

    @classmethod
    def open(cls, folder: Path, *, verify: bool = True) -> "PictureSet":
        """Opens a dataset folder.

        Args:
            folder: as `inkseal data build` left it.
            verify: read every byte and compare hashes; about a second for a gigabyte.

        Raises:
            InvalidRequest: there is no dataset; says how to build one.
            StoreError: a file is not the one that was built; names it.
        """
        restore(folder)
        card = _card(folder)
        if verify:
            found = {name: hash_file(folder / name) for name in DATA_FILES}
            changed = [name for name in DATA_FILES if found[name] != card.files.get(name)]
            if changed or hash_of(found) != card.sha256:
                raise _damaged(folder, say(f"{', '.join(changed)} changed", f"{'、'.join(changed)} 已被更改"))
        try:
            with (folder / ROWS).open(encoding="utf-8") as lines:
                rows = [Row.model_validate_json(line) for line in lines]
        except (ValidationError, ValueError) as error:
            raise _damaged(folder, f"{ROWS}: {error}") from None
        opened = cls(folder, card, rows, read_header(folder / PIXELS), read_header(folder / TEXT))
        opened._check()
        return opened

    def places(self, split: Split) -> npt.NDArray[np.int64]:
        """Returns the numbers of the split's pictures, in order.

        Raises:
            InvalidRequest: there is no such split.
        """
        if split not in SPLITS:
            raise InvalidRequest(say(f"There is no split {split!r}.", f"没有名为 {split!r} 的划分。"))
        return np.array([place for place, row in enumerate(self.rows) if row.split == split], np.int64)

    def captions_of(self, place: int) -> npt.NDArray[np.int64]:
        """Returns the numbers of a picture's captions."""
        return np.arange(self._starts[place], self._starts[place + 1])

    def conditions(self, numbers: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.float32]:
        """Returns the conditions [B, 9, D] of captions by number, as serving makes them of a prompt."""
        return look_up_conditions(np.asarray(self.captions[numbers]), self.vectors)

    @cached_property
    def _starts(self) -> npt.NDArray[np.int64]:
        """Where each picture's captions begin; they lie in the order of the pictures."""
        return np.searchsorted(self.caption_row, np.arange(len(self.rows) + 1))

    def _check(self) -> None:
        num_rows, num_captions = len(self.rows), len(self.captions)
        whole = (
            self.pixels.shape[:2] == (num_rows, 3)
            and self.captions.shape == (num_captions, NUM_PLACES)
            and self.caption_row.shape == self.caption_language.shape == (num_captions,)
            and bool(np.all(np.diff(self.caption_row) >= 0))
            and (not num_captions or -1 <= int(self.captions.min()) <= int(self.captions.max()) < len(self.vectors))
        )
        if not whole:
            raise _damaged(self.folder, say("its tables do not fit together", "各表不一致"))


def _card(folder: Path) -> Card:
    try:
        return Card.model_validate_json((folder / CARD).read_bytes())
    except FileNotFoundError:
        raise InvalidRequest(
            say(f"There is no dataset in {folder}.", f"{folder} 中没有数据集。"),
            fix=say(f"Run: inkseal data build {folder.name}", f"请运行：inkseal data build {folder.name}"),
        ) from None
    except ValidationError as error:
        raise _damaged(folder, f"{CARD}: {error.errors()[0]['msg']}") from None


def _array(file: Safetensors, name: str) -> npt.NDArray[Any]:
    info = file.tensors.get(name)
    if info is None or info.type_name not in _DTYPES:
        raise _damaged(file.path.parent, say(f"{name!r} is missing", f"缺少 {name!r}"))
    return file.tensor(name).view(_DTYPES[info.type_name]).reshape(info.shape)


def _damaged(folder: Path, why: str) -> StoreError:
    return StoreError(
        say(f"The dataset in {folder} is not as it was built: {why}.", f"{folder} 中的数据集与构建时不符：{why}。"),
        fix=say(f"Build it again: inkseal data build {folder.name}", f"请重新构建：inkseal data build {folder.name}"),
    )
