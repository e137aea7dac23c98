"""What both doors share: their settings, the finding of a route, and the form of an answer."""

from __future__ import annotations

import logging
import math
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Literal

from hooklatch.body import Spool
from hooklatch.errors import Answer, ConfigError, Rejected
from hooklatch.observe import Observer
from hooklatch.ratelimit import Limiter
from hooklatch.routes import Routes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from hooklatch.chain import Chain
    from hooklatch.observe import Event
    from hooklatch.ratelimit import FailureLimit
    from hooklatch.stores import AnyStore

logger: Final = logging.getLogger("hooklatch")


class Door:
    """The settings of a ``WebhookMiddleware``; the two doors add how a request is read and answered."""

    def __init__(
        self,
        *,
        routes: Mapping[str, Chain],
        store: AnyStore,
        protect: Iterable[str],
        fail_open: bool | Literal["unsafe"],
        spool_threshold: int,
        max_spool: int,
        limit_failures: FailureLimit | None,
        trusted_proxies: int | None,
        observer: Callable[[Event], object] | None,
        clock: Callable[[], float],
        debug: bool,
    ) -> None:
        """See ``WebhookMiddleware``; raise ``ConfigError``."""
        self.routes = Routes(routes, protect)
        _demand_time(routes, fail_open)
        self.spool = Spool(spool_threshold, max_spool)
        self.limiter = Limiter(limit_failures, trusted_proxies)
        self.observer = Observer(observer)
        self.clock = clock
        self.debug = debug is True
        if debug not in (True, False):
            msg = f"debug={debug!r} must be True or False; nothing in the environment can switch it on"
            raise ConfigError(msg)
        if not math.isfinite(clock()):
            msg = "clock must return unix seconds"
            raise ConfigError(msg)
        self._say(store)

    def _say(self, store: AnyStore) -> None:
        """Log once, at start-up, what an operator should know of this configuration."""
        for pattern, chain in self.routes.table.items():
            for note in chain.notes:
                logger.warning("%s (%s): %s", pattern, chain.provider, note)
        for note in getattr(store, "notes", ()):
            logger.warning("%s", note)
        if self.debug:
            logger.warning("debug=True: refusals tell the sender why; not for production")

    def report(self, answer: Answer, method: str, chain: Chain | None, route: str) -> None:
        """Tell the log and the observer of *answer*."""
        self.observer.answered(answer, provider=chain.provider if chain else "", route=route, method=method)

    def response(self, answer: Answer, method: str) -> tuple[int, list[tuple[str, str]], bytes]:
        """Return status, header lines and body of *answer*; a HEAD request gets the lines without the body."""
        headers = answer.headers
        body = answer.body
        if isinstance(answer, Rejected) and not body and not answer.bare:
            body, kind = answer.problem(debug=self.debug)
            headers = (("content-type", kind), *headers)
        elif answer.status != HTTPStatus.NO_CONTENT and not any(name == "content-type" for name, _ in headers):
            # Empty, but PEP 3333's validator wants every 200 to have a type.
            headers = (("content-type", "text/plain; charset=utf-8"), *headers)
        if answer.status != HTTPStatus.NO_CONTENT:
            headers = (("content-length", str(len(body))), *headers)
        return answer.status, list(headers), b"" if method == "HEAD" else body


def _demand_time(routes: Mapping[str, Chain], fail_open: bool | Literal["unsafe"]) -> None:
    """Refuse to fail open where nothing but the store stands between a capture and its replay."""
    if fail_open not in (False, True, "unsafe"):
        msg = f"fail_open={fail_open!r} must be True, False or 'unsafe'"
        raise ConfigError(msg)
    if fail_open is not True:
        return
    for pattern, chain in routes.items():
        if chain.on_duplicate != "run" and not chain.timed:
            msg = (
                f"fail_open: {pattern!r} ({chain.provider}) has no signed time that is checked, so while the store is "
                "down a captured delivery could be replayed at will; say fail_open='unsafe' to accept that"
            )
            raise ConfigError(msg)
