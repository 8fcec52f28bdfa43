"""What every metric asks of the rows it is handed."""

from collections.abc import Iterable

from inkseal.core.errors import InvalidRequest
from inkseal.core.language import say
from inkseal.core.types import Columns


def require_rows(columns: Columns, names: Iterable[str]) -> None:
    """Refuses columns in which there is nothing to score.

    Raises:
        InvalidRequest: one of the named columns has no rows.
    """
    for name in names:
        if not len(columns[name]):
            raise InvalidRequest(say(f"There are no rows of {name} to score.", f"没有可评分的 {name} 数据。"))
