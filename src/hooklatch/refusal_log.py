"""What the log says of 429s: one line per address, route and window, then a count.

A flood would fill the disk otherwise. An observer is told of each.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Final

from hooklatch.observe import escaped, say

if TYPE_CHECKING:
    from collections.abc import Callable

MOST: Final = 10_000
"""Addresses that are remembered at a time; the oldest is forgotten, and its count told, for a new one."""


class RefusalLog:
    """Writes the first 429 of an address within *window* seconds, and with a later one how many were not written."""

    def __init__(self, window: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        """*clock*: monotonic seconds."""
        self._window = window
        self._clock = clock
        # In the order in which they end, since all windows are equally long.
        self._open: dict[tuple[str, str], list[float]] = {}
        self._lock = threading.Lock()

    def note(self, address: str, route: str, method: str, text: str) -> None:
        """Write, or count, that *address* was refused on *route* (its pattern) with *text*."""
        place = (address, route)
        with self._lock:
            now = self._clock()
            over = self._ended(now)
            entry = self._open.get(place)
            if entry is None:
                self._open[place] = [now + self._window, 0]
            else:
                entry[1] += 1
        for (other, where), count in over:
            several = "limit_failures: %d more requests of %s got 429 on %s, not logged singly"
            say(logging.WARNING, several, count, other, where)
        if entry is None:
            say(
                logging.WARNING, "refused %s %s for %s: %s; not logged again for %g s",
                escaped(method), route, address, escaped(text), self._window,
            )  # fmt: skip

    def _ended(self, now: float) -> list[tuple[tuple[str, str], int]]:
        """Forget the windows that have ended, and as many as there are too many; return their counts."""
        over = []
        while self._open:
            place, (end, count) = next(iter(self._open.items()))
            if end > now and len(self._open) < MOST:
                break
            del self._open[place]
            if count:
                over.append((place, int(count)))
        return over
