"""What operators see: one log line per refusal or acknowledgement, and the same as an event for an observer.

The 429s of ``limit_failures`` have an event each and fewer lines, see ``refusal_log``. What a stranger sent is escaped
and cut before it reaches a log; secrets and expected signatures never do.
"""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Final, NamedTuple

from hooklatch.errors import Acknowledged, Answer, ClientDisconnected

if TYPE_CHECKING:
    from collections.abc import Callable

logger: Final = logging.getLogger("hooklatch")

LONGEST: Final = 200


class Event(NamedTuple):
    """What became of one request."""

    outcome: str
    """``accepted``, ``acknowledged`` or ``refused``."""
    reason: str
    """The reason code; empty for an accepted request."""
    status: int
    """The status hooklatch answered with; 0 where the application answers, or nobody does."""
    provider: str
    """Empty where no route judged."""
    route: str
    """The route's pattern, never the requested path."""
    method: str
    detail: str = ""
    """The operator's sentence, escaped and cut."""


class Observer:
    """Tells the log, and whoever listens; a listener that fails changes nothing and is logged once."""

    def __init__(self, listener: Callable[[Event], object] | None) -> None:
        """*listener*: called with every ``Event``, in the request's own thread or task; must not block."""
        self._listener = listener
        self._failed = False
        self.listens = listener is not None
        """Whether accepted requests need an event at all."""

    def answered(self, answer: Answer, *, provider: str, route: str, method: str) -> None:
        """Report a request that the application did not see."""
        good = isinstance(answer, Acknowledged)
        level = logging.INFO if good else logging.WARNING
        logged = logger.isEnabledFor(level) and not answer.logged_by_limit
        if self._listener is None and not logged:
            return
        status = 0 if isinstance(answer, ClientDisconnected) else answer.status
        event = Event(
            "acknowledged" if good else "refused",
            answer.reason,
            status,
            provider,
            route,
            escaped(method),
            escaped(str(answer)),
        )
        if logged:
            told = (event.outcome, event.method, route or "-", provider or "-", event.detail)
            say(level, "%s %s %s %s: %s", *told)
        self._tell(event)

    def accepted(self, *, provider: str, route: str, method: str) -> None:
        """Report a request that is handed to the application."""
        self._tell(Event("accepted", "", 0, provider, route, method))

    def _tell(self, event: Event) -> None:
        if self._listener is None:
            return
        try:
            self._listener(event)
        except Exception:  # noqa: BLE001 - whatever listens must not decide
            if not self._failed:
                self._failed = True
                text = "the observer failed; verdicts are not affected, further failures are not logged"
                say(logging.ERROR, text, exc_info=True)


def say(level: int, text: str, *values: object, exc_info: bool = False) -> None:
    """Write a line of the log; a handler of the log that fails changes no verdict."""
    # Where the log fails there is nobody left to tell.
    with contextlib.suppress(Exception):
        logger.log(level, text, *values, exc_info=exc_info)


def escaped(text: str) -> str:
    """Return *text* as one printable ASCII line of at most 200 characters."""
    if len(text) <= LONGEST and text.isascii() and text.isprintable():
        return text
    line = text.encode("ascii", "backslashreplace").decode("ascii")
    printable = "".join(c if " " <= c <= "~" else f"\\x{ord(c):02x}" for c in line[: LONGEST + 1])
    return printable if len(printable) <= LONGEST else printable[:LONGEST] + "..."
