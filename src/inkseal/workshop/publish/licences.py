"""The licence of every single picture that a model was trained on, in a table that goes with the model."""

import csv
import gzip
import io
from collections.abc import Sequence
from typing import Protocol

from inkseal.workshop.train.picture_batches import PictureRow

COLUMNS = ("id", "collection", "member", "licence", "author", "split")


class LicensedRow(PictureRow, Protocol):
    """What is told of one picture."""

    @property
    def id(self) -> str: ...
    @property
    def collection(self) -> str: ...
    @property
    def member(self) -> str: ...
    @property
    def licence(self) -> str: ...
    @property
    def author(self) -> str: ...
    @property
    def split(self) -> str: ...


def licence_table(rows: Sequence[LicensedRow]) -> bytes:
    """Returns a compressed table with a line for each picture; the same rows give the same bytes."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    table.writerows([getattr(row, column) for column in COLUMNS] for row in rows)
    return gzip.compress(text.getvalue().encode(), mtime=0)
