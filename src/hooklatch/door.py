"""What both doors share: their settings, the finding of a route, and the form of an answer."""

from __future__ import annotations

import inspect
import logging
import math
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

from hooklatch.body import Spool
from hooklatch.errors import Answer, ConfigError, Rejected
from hooklatch.observe import Observer
from hooklatch.ratelimit import Limiter
from hooklatch.routes import Routes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from hooklatch.chain import Chain
    from hooklatch.errors import Headers
    from hooklatch.observe import Event
    from hooklatch.ratelimit import FailureLimit
    from hooklatch.settings import Render
    from hooklatch.shortcut import Shortcut
    from hooklatch.stores import AnyStore

logger: Final = logging.getLogger("hooklatch")

_NO_CONTENT: Final = 204
_TEXT: Final = "text/plain; charset=utf-8"


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
        render: Render | None,
        clock: Callable[[], float],
        debug: bool,
    ) -> None:
        """See ``WebhookMiddleware``; raise ``ConfigError``."""
        self.routes = Routes(routes, protect)
        demand_time(routes, fail_open)
        self.spool = Spool(spool_threshold, max_spool)
        self.limiter = Limiter(limit_failures, trusted_proxies)
        self.observer = Observer(observer)
        self.render = render
        self.clock = clock
        self.debug = debug is True
        if debug not in (True, False):
            msg = f"debug={debug!r} must be True or False; nothing in the environment can switch it on"
            raise ConfigError(msg)
        if render is not None and not callable(render):
            msg = f"render={render!r} must be a function of the refusal that returns a media type and bytes"
            raise ConfigError(msg)
        if not math.isfinite(clock()):
            msg = "clock must return unix seconds"
            raise ConfigError(msg)
        self._say(store)

    def shortcuts(self, spell: Callable[[str], str | bytes], longest: int) -> dict[str, Shortcut]:
        """Return the short way of every route that has one, see ``Chain.shortcut``; a limit must see every request."""
        if self.limiter.limits:
            return {}
        longest = min(longest, self.spool.threshold)
        ways = {pattern: chain.shortcut(spell, longest) for pattern, chain in self.routes.table.items()}
        return {pattern: way for pattern, way in ways.items() if way}

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
        body = answer.body
        kind = ""
        if isinstance(answer, Rejected) and not body and not answer.bare:
            body, kind = self._rendered(answer, self.render) if self.render else answer.problem(debug=self.debug)
        headers = _with_body(answer.headers, kind, len(body)) if answer.status != _NO_CONTENT else answer.headers
        return answer.status, list(headers), b"" if method == "HEAD" else body

    def _rendered(self, answer: Rejected, render: Render) -> tuple[bytes, str]:
        """Return body and media type of a refusal as the application renders it."""
        try:
            kind, body = render(answer)
            if isinstance(body, bytes) and kind.isascii() and (kind or _TEXT).isprintable():
                return body, kind or _TEXT
            bad: object = "it must return a media type as text, and bytes"
        except Exception as failed:  # noqa: BLE001 - a refusal stays one, whatever becomes of its words
            bad = type(failed).__name__
        logger.error("render failed (%s); the refusal is answered without it", bad)
        return answer.problem(debug=self.debug)


@lru_cache
def _with_body(headers: Headers, kind: str, size: int) -> Headers:
    """Return *headers* with those that say what the body of *size* bytes is."""
    if not kind and not any(name == "content-type" for name, _ in headers):
        # Empty, but PEP 3333's validator wants every 200 to have a type.
        kind = _TEXT
    typed = (("content-type", kind), *headers) if kind else headers
    return (("content-length", str(size)), *typed)


def demand_interface(app: object, own: Literal["wsgi", "asgi"]) -> None:
    """Raise ``ConfigError`` if *app* speaks the other interface than the *own* one; what cannot be told passes."""
    found = _interface(app)
    if found is not None and found != own:
        name = getattr(app, "__name__", type(app).__name__)
        msg = (
            f"{name} is {_KINDS[found]} application, and this middleware is for {own.upper()}; "
            f"use hooklatch.{found}.WebhookMiddleware"
        )
        raise ConfigError(msg)


_KINDS: Final = {"wsgi": "a WSGI", "asgi": "an ASGI"}


def _interface(app: object) -> Literal["wsgi", "asgi"] | None:
    if not callable(app):
        return None
    call = app if inspect.isclass(app) else getattr(app, "__call__", app)  # noqa: B004 - its method is what may be async
    if inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(call):
        return "asgi"
    try:
        signature = inspect.signature(app)
        signature.bind(None, None)
    except (TypeError, ValueError):
        return None
    try:
        signature.bind(None, None, None)
    except TypeError:
        return "wsgi"  # two arguments and no more: environ and start_response
    return None


def demand_time(routes: Mapping[str, Chain], fail_open: bool | Literal["unsafe"]) -> None:
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
