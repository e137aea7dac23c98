"""A walk round a dictionary that changes meanwhile, some keys at a time, so that no caller pays for the whole way."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

BATCH: Final = 20_000
"""Keys it holds at a time."""


class Cursor:
    """Where the walk round one dictionary has come to."""

    def __init__(self, table: Mapping[bytes, object]) -> None:
        """*table*: what is taken out of it must be told to ``dropped``."""
        self._table = table
        self._batch: Iterator[bytes] = iter(())
        self._position = 0

    def walk(self, count: int) -> list[bytes]:
        """Return the next *count* keys, the whole table where it is smaller; some may be gone by now."""
        keys = list(islice(self._batch, count))
        for _ in range(2):
            if len(keys) >= count:
                break
            # A batch at a time, because the dictionary changes meanwhile; an empty one means the end, so begin again.
            batch = list(islice(self._table, self._position, self._position + BATCH))
            self._position = self._position + len(batch) if batch else 0
            self._batch = iter(batch)
            keys += islice(self._batch, count - len(keys))
        return keys

    def dropped(self, count: int) -> None:
        """Note that *count* of the keys it has passed were taken out: those behind them have moved up."""
        self._position = max(0, self._position - count)
