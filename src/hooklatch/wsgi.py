"""WSGI middleware: verify inbound webhooks before a Flask, Django, Pyramid or any other WSGI application sees them.

    app = WebhookMiddleware(app, routes={"/hooks/github": GITHUB.chain(secret)}, store="memory://")

On a route the body is captured and judged; only then the application is called, with ``environ["hooklatch.webhook"]``
set and the body readable again. Everything else passes untouched. Put it outside of whatever reads the body, and inside
of what only corrects addresses (ProxyFix).
"""

from __future__ import annotations

import contextlib
import time
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Literal

from hooklatch.body import PIECE, Body
from hooklatch.door import Door, demand_interface
from hooklatch.drive import run
from hooklatch.errors import Answer, BodyIncomplete, BodyTimeout, LengthMalformed, LengthRequired, RequestAmbiguous
from hooklatch.settle import Settlement
from hooklatch.stores import MemoryStore, as_store
from hooklatch.stores.fallback import Fallback
from hooklatch.types import Head
from hooklatch.verdict import ENVIRON_KEY, judged, strip, wsgi_text
from hooklatch.wsgi_outgoing import Outgoing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from hooklatch.chain import Chain
    from hooklatch.observe import Event
    from hooklatch.ratelimit import FailureLimit
    from hooklatch.routes import Match
    from hooklatch.settings import Render
    from hooklatch.stores import AnyStore

DRAIN: Final = 1 << 18
"""Unread bytes of a refused body that are read after the answer; more are left to the server."""

_LONGEST: Final = 20
"""Digits of a length, from which on it is none."""


class WebhookMiddleware(Door):
    """Verifies the requests of its routes; see the module. Raises ``ConfigError`` for what cannot be trusted."""

    def __init__(
        self,
        app: WSGIApplication,
        *,
        routes: Mapping[str, Chain],
        store: AnyStore | str = "memory://",
        protect: Iterable[str] = (),
        fail_open: bool | Literal["unsafe"] = False,
        spool_threshold: int = 1 << 20,
        max_spool: int = 1 << 30,
        limit_failures: FailureLimit | None = None,
        trusted_proxies: int | None = None,
        observer: Callable[[Event], object] | None = None,
        render: Render | None = None,
        clock: Callable[[], float] = time.time,
        debug: bool = False,
    ) -> None:
        """Wrap *app*.

        *routes*: exact paths, or prefixes that end in ``/*``, each with its chain; *store*: the duplicate memory or its
        URL; *protect*: paths below which everything without a route is refused; *fail_open*: when the store is down,
        let this process decide alone instead of answering 503 (``"unsafe"``: also for senders without a signed time);
        *spool_threshold*: bytes of a body held in memory, *max_spool*: bytes of all spooled bodies; *limit_failures*:
        how many unproven requests an address may send; *trusted_proxies*: how many proxies in front add to
        X-Forwarded-For (0: none); *observer*: called with every ``Event``; *render*: makes media type and body of
        a refusal; *clock*: unix seconds; *debug*: tell the sender the reason of a refusal.
        """
        demand_interface(app, "wsgi")
        self.app = app
        given = as_store(store)
        self.store = given if isinstance(given, MemoryStore) else Fallback(given, fail_open=bool(fail_open))
        super().__init__(
            routes=routes,
            store=given,
            protect=protect,
            fail_open=fail_open,
            spool_threshold=spool_threshold,
            max_spool=max_spool,
            limit_failures=limit_failures,
            trusted_proxies=trusted_proxies,
            observer=observer,
            render=render,
            clock=clock,
            debug=debug,
        )

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Judge one request."""
        verdict = strip(environ, ENVIRON_KEY) if ENVIRON_KEY in environ else None
        mount, path = environ.get("SCRIPT_NAME", ""), environ.get("PATH_INFO", "")
        if mount or not path.isascii():
            mount = wsgi_text(mount)
            path = mount + wsgi_text(path)
        try:
            match = self.routes.find_mounted(path, mount)
        except Answer as answer:
            method = environ["REQUEST_METHOD"]
            self.report(answer, method, None, "")
            return self._answer(answer, method, start_response)
        if match is None or (
            verdict and judged(verdict, match.pattern, match.chain.provider, environ["REQUEST_METHOD"], path)
        ):
            return self.app(environ, start_response)
        return self._judge(match, path, environ, start_response)

    def _judge(
        self, match: Match, path: str, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        pattern, chain = match
        method = environ["REQUEST_METHOD"]
        body = Body(self.spool)
        source = Source(environ, body, chain.body_timeout)
        # By position, in the order of the class: names would cost as much as all else here.
        head = Head(
            method,
            path,
            environ.get("QUERY_STRING", ""),
            EnvironLines(environ),
            self.clock(),
            source.length,
            pattern,
            target(environ),
        )
        watch = self.limiter.watch(head, environ.get("REMOTE_ADDR"))
        try:
            if watch:
                watch.look()
            webhook, claim = run(chain.flow(head), source.read, self.store)
        except Answer as answer:
            body.close()
            self.report(answer, method, chain, pattern)
            if watch:
                watch.refused(answer)
            return _Refusal(self._answer(answer, method, start_response), source)
        except BaseException:
            body.close()
            raise
        webhook.captured = body
        environ[ENVIRON_KEY] = webhook
        _put_back(environ, body)
        if self.observer.listens:
            self.observer.accepted(provider=chain.provider, route=pattern, method=method)
        app = watch.clearing(self.app) if watch else self.app
        lines = chain.lines_for(head)
        if claim is None and not lines and not body.on_disk:
            return app(environ, start_response)
        settlement = Settlement(self.store, claim)
        return Outgoing(start_response, settlement, body, lines, method).run(app, environ)

    def _answer(self, answer: Answer, method: str, start_response: StartResponse) -> Sequence[bytes]:
        status, headers, content = self.response(answer, method)
        start_response(_status_line(status), headers)
        return [content] if content else []


class EnvironLines:
    """The header lines of a WSGI environ. Servers have joined repeated lines with commas already."""

    __slots__ = ("_environ",)

    def __init__(self, environ: Mapping[str, Any]) -> None:
        """*environ*: read when asked."""
        self._environ = environ

    def all(self, name: str, /) -> Sequence[str]:
        """Return the values of every line called *name* (lower case): here one at most."""
        value = self._environ.get(_environ_key(name))
        # Servers write CONTENT_TYPE even where there was none.
        return (value,) if value or (value == "" and name != "content-type") else ()

    def any(self, names: frozenset[str], /) -> bool:
        """Return whether there is a line called by one of the *names* (lower case)."""
        return not self._environ.keys().isdisjoint(_environ_keys(names))


class Source:
    """Reads the body as far as it may be read: PEP 3333 forbids to read past CONTENT_LENGTH."""

    __slots__ = ("_body", "_deadline", "_environ", "_left", "_timeout", "length")

    def __init__(self, environ: WSGIEnvironment, body: Body, timeout: float) -> None:
        self._environ = environ
        self._body = body
        self._timeout = timeout
        self._deadline = 0.0
        """Monotonic seconds; 0 before the first read."""
        declared = environ.get("CONTENT_LENGTH") or ""
        good = declared.isdecimal() and declared.isascii() and len(declared) < _LONGEST
        self.length = int(declared) if good else None
        self._left = self.length
        """Bytes that may still be read, None where only the server knows the end."""

    def _start(self) -> None:
        """Decide how far to read; raise ``LengthMalformed``, ``LengthRequired`` or ``RequestAmbiguous``."""
        environ = self._environ
        coding = environ.get("HTTP_TRANSFER_ENCODING", "").strip(" \t").lower()
        if coding not in {"", "chunked"}:
            msg = "a transfer coding other than chunked: what arrives is not what was signed"
            raise RequestAmbiguous(msg)
        if self.length is None:
            if environ.get("CONTENT_LENGTH"):
                raise LengthMalformed
            if not environ.get("wsgi.input_terminated"):
                if coding:
                    msg = "a chunked body that the server did not undo; use a server that sets wsgi.input_terminated"
                    raise LengthRequired(msg)
                self._left = 0
        self._deadline = time.monotonic() + self._timeout

    def _take(self, size: int, until: float) -> bytes:
        """Read up to *size* bytes, waiting no longer than *until* (monotonic) where the server lets us say so."""
        found: bytes
        line = self._environ.get("gunicorn.socket")
        if line is None:
            found = self._environ["wsgi.input"].read(size)
            return found
        before = line.gettimeout()
        line.settimeout(max(until - time.monotonic(), 0.001))
        try:
            found = self._environ["wsgi.input"].read(size)
        finally:
            line.settimeout(before)
        return found

    def read(self) -> bytes:
        """Return the next body bytes, ``b""`` at the end; raise ``BodyIncomplete`` for one cut short."""
        if not self._deadline:
            self._start()
        left = self._left
        if not left and left is not None:
            self._body.seal()
            return b""
        try:
            chunk = self._take(PIECE if left is None or left > PIECE else left, self._deadline)
        except TimeoutError as late:
            msg = f"the body did not arrive within {self._timeout:g} seconds (body_timeout)"
            raise BodyTimeout(msg) from late
        except Exception as bad:
            # Servers raise errors of their own for a broken body: none of them is our fault, nor a reason for a 500.
            msg = f"reading the body failed: {type(bad).__name__}"
            raise BodyIncomplete(msg) from bad
        # A read that waits is the server's to end; between two reads the deadline is ours.
        if time.monotonic() > self._deadline:
            msg = f"the body did not arrive within {self._timeout:g} seconds (body_timeout)"
            raise BodyTimeout(msg)
        if left is not None:
            if not chunk:
                msg = f"{left} of {self.length} bytes are missing: the sender hung up, or an outer layer read the body"
                raise BodyIncomplete(msg)
            self._left = left - len(chunk)
        if chunk:
            self._body.write(chunk)
        else:
            self._body.seal()
        return chunk

    def drain(self) -> None:
        """Read what is left of a refused body, unless that is much: never a whole upload."""
        left = self._left
        if left is None or left > DRAIN or self._environ.get("HTTP_EXPECT") or "gunicorn.socket" not in self._environ:
            return  # a read that nothing bounds would give the thread to whoever sends no more
        # Whatever goes wrong now, the answer has left.
        with contextlib.suppress(Exception):
            until = time.monotonic() + 1
            while left > 0 and (chunk := self._take(min(left, PIECE), until)):
                left -= len(chunk)


class _Refusal:
    """A refusal that reads the rest of a small body once the answer has left.

    A server that closes with unread bytes resets the connection, and a sender that is still writing misses the answer.
    """

    def __init__(self, content: Sequence[bytes], source: Source) -> None:
        self._content = content
        self._source = source

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._content)

    def __len__(self) -> int:
        return len(self._content)

    def close(self) -> None:
        self._source.drain()


def _put_back(environ: WSGIEnvironment, body: Body) -> None:
    """Make the body readable again, so that every framework finds it: all four of these are needed."""
    environ["wsgi.input"] = body.open()
    environ["CONTENT_LENGTH"] = str(body.size)
    environ["wsgi.input_terminated"] = True
    environ.pop("HTTP_TRANSFER_ENCODING", None)


def target(environ: Mapping[str, Any]) -> str:
    """Return the target of the request line as servers hand it on, "" where they hide it."""
    return environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""


@lru_cache
def _status_line(status: int) -> str:
    return f"{status} {HTTPStatus(status).phrase}"


@lru_cache(maxsize=1024)
def _environ_key(name: str) -> str:
    key = name.upper().replace("-", "_")
    return key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"


@lru_cache(maxsize=1024)
def _environ_keys(names: frozenset[str]) -> frozenset[str]:
    return frozenset(map(_environ_key, names))
