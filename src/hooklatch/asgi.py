"""ASGI middleware: verify inbound webhooks before a Starlette, FastAPI or any other ASGI application sees them.

    app.add_middleware(WebhookMiddleware, routes={"/hooks/github": GITHUB.chain(secret)}, store="memory://")

On a route the body is captured and judged; only then the application is called, with ``scope["state"]["webhook"]``
(``request.state.webhook``) set and the body readable again. Everything else passes untouched, but below a route or
``protect`` a websocket is closed: nobody verifies it. Add it last, so that it is outermost.
"""

from __future__ import annotations

import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal

from hooklatch.asgi_incoming import Again, Replay, Source, late
from hooklatch.asgi_outgoing import Outgoing
from hooklatch.body import Body
from hooklatch.deadline import at_once, in_time
from hooklatch.digests import FAST_PACE
from hooklatch.door import Door, demand_interface
from hooklatch.drive import aclaimed, arun
from hooklatch.errors import (
    Answer,
    ClientDisconnected,
)
from hooklatch.lines import ByteLines, SingleLines, single
from hooklatch.routes import SHORT
from hooklatch.settle_async import AsyncSettlement
from hooklatch.stores import MemoryStore, as_async, open_store
from hooklatch.stores.fallback import AsyncFallback
from hooklatch.types import Head, Webhook
from hooklatch.verdict import STATE_KEY, judged

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from hooklatch.chain import Chain
    from hooklatch.errors import Headers
    from hooklatch.observe import Event
    from hooklatch.ratelimit import FailureLimit
    from hooklatch.routes import Match
    from hooklatch.settings import Render
    from hooklatch.shortcut import Shortcut
    from hooklatch.stores import AnyStore
    from hooklatch.types import Claim, HeaderLines


DIGITS: Final = 6
"""Of the declared length (bytes) of a body that may come in one piece."""


class WebhookMiddleware(Door):
    """Verifies the requests of its routes; see the module. Raises ``ConfigError`` for what cannot be trusted."""

    def __init__(
        self,
        app: ASGIApp,
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
        demand_interface(app, "asgi")
        self.app = app
        given = open_store(store) if isinstance(store, str) else store
        face = as_async(given)
        self.store = face if isinstance(given, MemoryStore) else AsyncFallback(face, fail_open=bool(fail_open))
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
        self._ways = self.shortcuts(str.encode, FAST_PACE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Judge one request; lifespan and unknown scopes pass as they are."""
        if scope["type"] != "http":
            await self._pass(scope, receive, send)
            return
        verdict = None
        if scope.get("state"):
            scope, verdict = stripped(scope)
        root = scope.get("root_path", "")
        path = full_path(scope) if root else scope["path"]
        try:
            match = self.routes.find_mounted(path, root) if root or len(path) > SHORT else self.routes.known(path)
        except Answer as answer:
            self.report(answer, scope["method"], None, "")
            await self._answer(answer, scope["method"], send)
            return
        if match is None or (
            verdict and judged(verdict, match.pattern, match.chain.provider, scope["method"], scope["path"])
        ):
            await self.app(scope, receive, send)
            return
        way = self._ways.get(match.pattern)
        if way is None:
            await self._judge(match, path, scope, receive, send)
        else:
            await self._judge_ordinary(way, match, path, scope, receive, send)

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on what is no HTTP request, but no websocket below a route: nobody verifies it."""
        if scope["type"] == "websocket" and self.routes.guards(full_path(scope), scope.get("root_path", "")):
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self.app(scope, receive, send)

    async def _judge(
        self, match: Match, path: str, scope: Scope, receive: Receive, send: Send, first: Message | None = None
    ) -> None:
        """Judge any request; *first*: a message that has been received already."""
        pattern, chain = match
        body = Body(self.spool)
        headers = ByteLines(scope["headers"])
        source = Source(receive, body, headers, chain, first)
        head = _head(match, path, scope, headers, self.clock(), source.length)
        client = scope.get("client")
        watch = self.limiter.watch(head, client[0] if client else None)
        try:
            try:
                if watch:
                    await watch.alook()
                webhook, claim = await arun(chain.flow(head), source.read, self.store)
            except Answer as answer:
                self.report(answer, head.method, chain, pattern)
                if watch:
                    await watch.arefused(answer)
                if not isinstance(answer, ClientDisconnected):
                    await self._answer(answer, head.method, send)
                return
            webhook.captured = body
            webhook.path = scope["path"]
            app = watch.aclearing(self.app) if watch else self.app
            await self._run(app, webhook, claim, chain.lines_for(head), scope, Replay(body, receive), send)
        finally:
            body.close()

    async def _judge_ordinary(
        self, way: Shortcut, match: Match, path: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Judge a small ordinary delivery whose body comes in one piece; leave others to ``_judge``."""
        found = single(scope["headers"])
        declared = found.get(b"content-length", b"") if found else b""
        # A length that can be compared with what arrives.
        if found is None or not declared.isdigit() or len(declared) > DIGITS:
            await self._judge(match, path, scope, receive, send)
            return
        chain = match.chain
        length = int(declared)
        now = self.clock()
        webhook = claim = message = None
        try:
            opened = way.open(found, scope["method"], length, now)
            if opened is not None:
                message, rest = at_once(receive())
                if rest is not None:
                    message = await in_time(rest, time.monotonic() + chain.body_timeout)
                if message is None:
                    raise late(chain.body_timeout)
                content = message.get("body", b"")
                whole = len(content) == length and not message.get("more_body") and message["type"] == "http.request"
                if whole and way.plain:
                    webhook = way.webhook(opened, content, scope["method"], scope["path"], match.pattern, now)
                elif whole:
                    facts = way.facts(opened, content, _head(match, path, scope, SingleLines(found), now, length))
                    webhook, claim = chain.conclude(facts)
                    webhook.path = scope["path"]
                    if claim is not None:
                        chain.admit(webhook, claim, await aclaimed(self.store, claim))
        except Answer as answer:
            chain.dress(answer, ())
            self.report(answer, scope["method"], chain, match.pattern)
            await self._answer(answer, scope["method"], send)
            return
        if webhook is None:
            await self._judge(match, path, scope, receive, send, message)
        else:
            webhook.captured = content
            await self._run(self.app, webhook, claim, (), scope, Again(content, receive), send)

    def _run(
        self,
        app: ASGIApp,
        webhook: Webhook,
        claim: Claim | None,
        lines: Headers,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> Awaitable[None]:
        """Return the run of *app*; *lines*: header lines that its answer is to carry."""
        if self.observer.listens:
            self.observer.accepted(provider=webhook.provider, route=webhook.route, method=webhook.method)
        state = scope.get("state")
        inner = {**scope, "state": {**state, STATE_KEY: webhook} if state else {STATE_KEY: webhook}}
        if claim is None and not lines:
            return app(inner, receive, send)
        return Outgoing(send, AsyncSettlement(self.store, claim), lines).run(app, inner, receive)

    async def _answer(self, answer: Answer, method: str, send: Send) -> None:
        status, headers, content = self.response(answer, method)
        await send({"type": "http.response.start", "status": status, "headers": list(map(_wire, headers))})
        await send({"type": "http.response.body", "body": content, "more_body": False})


def _head(match: Match, path: str, scope: Scope, headers: HeaderLines, now: float, length: int | None) -> Head:
    # By position, in the order of the class: names would cost as much as all else here.
    return Head(
        scope["method"],
        path,
        scope["query_string"].decode("latin-1"),
        headers,
        now,
        length,
        match.pattern,
        (scope.get("raw_path") or b"").decode("latin-1"),
    )


@lru_cache
def _wire(line: tuple[str, str]) -> tuple[bytes, bytes]:
    """Return a header line as bytes: most are the same in every answer."""
    name, value = line
    return name.encode("latin-1"), value.encode("latin-1")


def full_path(scope: Mapping[str, Any]) -> str:
    """Return the full path, mount prefix included, whether or not the server puts it into ``path`` as it should."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path if not root or path == root or path.startswith(root.rstrip("/") + "/") else root + path


def stripped(scope: Scope) -> tuple[Scope, Webhook | None]:
    """Return the scope without anything but a verdict where the verdict belongs, and that verdict."""
    found = (scope.get("state") or {}).get(STATE_KEY)
    if found is None or isinstance(found, Webhook):
        return scope, found
    state = {key: value for key, value in scope["state"].items() if key != STATE_KEY}
    return {**scope, "state": state}, None
