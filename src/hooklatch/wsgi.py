"""WSGI middleware: verify inbound webhooks before a Flask, Django, Pyramid or any other WSGI application sees them.

    app = WebhookMiddleware(app, routes={"/hooks/github": GITHUB.chain(secret)}, store="memory://")

On a route the body is captured and judged; only then the application is called, with ``environ["hooklatch.webhook"]``
set and the body readable again. Everything else passes untouched. Put it outside of whatever reads the body, and inside
of what only corrects addresses (ProxyFix).
"""

from __future__ import annotations

import time
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Literal

from hooklatch.body import Body
from hooklatch.door import Door, demand_interface
from hooklatch.drive import claimed, run
from hooklatch.errors import Answer
from hooklatch.routes import SHORT
from hooklatch.settle import Settlement
from hooklatch.stores import MemoryStore, as_store
from hooklatch.stores.fallback import Fallback
from hooklatch.types import Head
from hooklatch.verdict import ENVIRON_KEY, judged, strip, wsgi_text
from hooklatch.wsgi_incoming import EnvironLines, Source, drain, drains, environ_key, put_back, small_body, target
from hooklatch.wsgi_outgoing import Outgoing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from hooklatch.chain import Chain
    from hooklatch.errors import Headers
    from hooklatch.observe import Event
    from hooklatch.ratelimit import FailureLimit
    from hooklatch.routes import Match
    from hooklatch.settings import Render
    from hooklatch.shortcut import Shortcut
    from hooklatch.stores import AnyStore
    from hooklatch.types import Claim, Webhook

LONGEST: Final = 1 << 17
"""Bytes of a body that is read in one piece."""

DIGITS: Final = 6
"""Of such a length, as it is declared."""


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
        self._ways = self.shortcuts(environ_key, LONGEST)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Judge one request."""
        verdict = strip(environ, ENVIRON_KEY) if ENVIRON_KEY in environ else None
        mount, path = environ.get("SCRIPT_NAME", ""), environ.get("PATH_INFO", "")
        if mount or not path.isascii():
            mount = wsgi_text(mount)
            path = mount + wsgi_text(path)
        try:
            routes = self.routes
            match = routes.find_mounted(path, mount) if mount or len(path) > SHORT else routes.known(path)
        except Answer as answer:
            method = environ["REQUEST_METHOD"]
            self.report(answer, method, None, "")
            return self._answer(answer, method, start_response)
        if match is None or (
            verdict and judged(verdict, match.pattern, match.chain.provider, environ["REQUEST_METHOD"], path)
        ):
            return self.app(environ, start_response)
        way = self._ways.get(match.pattern)
        answered = self._judge_ordinary(way, match, path, environ, start_response) if way else None
        return self._judge(match, path, environ, start_response) if answered is None else answered

    def _judge(
        self, match: Match, path: str, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        pattern, chain = match
        body = Body(self.spool)
        source = Source(environ, body, chain.body_timeout)
        head = _head(match, path, environ, self.clock(), source.length)
        watch = self.limiter.watch(head, environ.get("REMOTE_ADDR"))
        try:
            if watch:
                watch.look()
            webhook, claim = run(chain.flow(head), source.read, self.store)
        except Answer as answer:
            body.close()
            self.report(answer, head.method, chain, pattern)
            if watch:
                watch.refused(answer)
            return _Refusal(self._answer(answer, head.method, start_response), environ, source.left)
        except BaseException:
            body.close()
            raise
        put_back(environ, body)
        app = watch.clearing(self.app) if watch else self.app
        return self._run(app, webhook, claim, body, chain.lines_for(head), environ, start_response)

    def _judge_ordinary(
        self, way: Shortcut, match: Match, path: str, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes] | None:
        """Judge a small ordinary delivery; return None for what is none, with nothing read of it."""
        chain = match.chain
        method = environ["REQUEST_METHOD"]
        declared = environ.get("CONTENT_LENGTH") or ""
        now = self.clock()
        if len(declared) > DIGITS or not (declared.isdecimal() and declared.isascii()):
            return None
        length = unread = int(declared)
        try:
            opened = way.open(environ, method, length, now)
            if opened is None:
                return None
            content = small_body(environ, length, chain.body_timeout)
            unread = 0
            if way.plain:
                webhook, claim = way.webhook(opened, content, method, path, match.pattern, now), None
            else:
                facts = way.facts(opened, content, _head(match, path, environ, now, length))
                webhook, claim = chain.conclude(facts)
                if claim is not None:
                    chain.admit(webhook, claim, claimed(self.store, claim))
        except Answer as answer:
            chain.dress(answer, ())
            self.report(answer, method, chain, match.pattern)
            refusal = self._answer(answer, method, start_response)
            return _Refusal(refusal, environ, unread) if drains(environ) else refusal
        body = Body(self.spool, content)
        put_back(environ, body)
        return self._run(self.app, webhook, claim, body, (), environ, start_response)

    def _run(
        self,
        app: WSGIApplication,
        webhook: Webhook,
        claim: Claim | None,
        body: Body,
        lines: Headers,
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        """Call *app*; *lines*: header lines that its answer is to carry."""
        webhook.captured = body
        environ[ENVIRON_KEY] = webhook
        if self.observer.listens:
            self.observer.accepted(provider=webhook.provider, route=webhook.route, method=webhook.method)
        if claim is None and not lines and not body.on_disk:
            return app(environ, start_response)
        settlement = Settlement(self.store, claim)
        return Outgoing(start_response, settlement, body, lines, webhook.method).run(app, environ)

    def _answer(self, answer: Answer, method: str, start_response: StartResponse) -> Sequence[bytes]:
        status, headers, content = self.response(answer, method)
        start_response(_status_line(status), headers)
        return [content] if content else []


class _Refusal:
    """A refusal that reads the rest of a small body once the answer has left.

    A server that closes with unread bytes resets the connection, and a sender that is still writing misses the answer.
    """

    def __init__(self, content: Sequence[bytes], environ: WSGIEnvironment, unread: int | None) -> None:
        """*unread*: bytes of the body, None where nobody knows."""
        self._content = content
        self._environ = environ
        self._unread = unread

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._content)

    def __len__(self) -> int:
        return len(self._content)

    def close(self) -> None:
        drain(self._environ, self._unread)


def _head(match: Match, path: str, environ: WSGIEnvironment, now: float, length: int | None) -> Head:
    # By position, in the order of the class: names would cost as much as all else here.
    return Head(
        environ["REQUEST_METHOD"],
        path,
        environ.get("QUERY_STRING", ""),
        EnvironLines(environ),
        now,
        length,
        match.pattern,
        target(environ),
    )


@lru_cache
def _status_line(status: int) -> str:
    return f"{status} {HTTPStatus(status).phrase}"
