"""ASGI middleware: verify inbound webhooks before a Starlette, FastAPI or any other ASGI application sees them.

    app.add_middleware(WebhookMiddleware, routes={"/hooks/github": GITHUB.chain(secret)}, store="memory://")

On a route the body is captured and judged; only then the application is called, with ``scope["state"]["webhook"]``
(``request.state.webhook``) set and the body readable again. Everything else passes untouched, but below a route or
``protect`` a websocket is closed: nobody verifies it. Add it last, so that it is outermost.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, Literal

from anyio import to_thread

from hooklatch.asgi_outgoing import Outgoing
from hooklatch.body import BATCH, Body
from hooklatch.deadline import in_time
from hooklatch.digests import FAST_PACE
from hooklatch.door import Door, demand_interface
from hooklatch.drive import arun, pause, turn
from hooklatch.errors import (
    Answer,
    BodyIncomplete,
    BodyTimeout,
    ClientDisconnected,
    LengthMalformed,
    RequestAmbiguous,
)
from hooklatch.lines import ByteLines
from hooklatch.settle_async import AsyncSettlement
from hooklatch.stores import MemoryStore, as_async, open_store
from hooklatch.stores.fallback import AsyncFallback
from hooklatch.types import Head, Webhook
from hooklatch.verdict import STATE_KEY, judged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from hooklatch.chain import Chain
    from hooklatch.observe import Event
    from hooklatch.ratelimit import FailureLimit
    from hooklatch.routes import Match
    from hooklatch.settings import Render
    from hooklatch.stores import AnyStore

_LONGEST: Final = 20
"""Digits of a length, from which on it is none."""


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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Judge one request; lifespan and unknown scopes pass as they are."""
        root = scope.get("root_path", "")
        if scope["type"] != "http":
            if scope["type"] == "websocket" and self.routes.guards(full_path(scope), root):
                await send({"type": "websocket.close", "code": 1008})
                return
            await self.app(scope, receive, send)
            return
        verdict = None
        if scope.get("state"):
            scope, verdict = stripped(scope)
        path = full_path(scope) if root else scope["path"]
        try:
            match = self.routes.find_mounted(path, root)
        except Answer as answer:
            self.report(answer, scope["method"], None, "")
            await self._answer(answer, scope["method"], send)
            return
        if match is None or judged(verdict, match.pattern, match.chain.provider, scope["method"], scope["path"]):
            await self.app(scope, receive, send)
            return
        await self._judge(match, path, scope, receive, send)

    async def _judge(self, match: Match, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        pattern, chain = match
        method = scope["method"]
        body = Body(self.spool)
        headers = ByteLines(scope["headers"])
        source = Source(receive, body, headers, chain)
        # By position, in the order of the class: names would cost as much as all else here.
        head = Head(
            method,
            path,
            scope["query_string"].decode("latin-1"),
            headers,
            self.clock(),
            source.length,
            pattern,
            (scope.get("raw_path") or b"").decode("latin-1"),
        )
        client = scope.get("client")
        watch = self.limiter.watch(head, client[0] if client else None)
        try:
            try:
                if watch:
                    await watch.alook()
                webhook, claim = await arun(chain.flow(head), source.read, self.store)
            except Answer as answer:
                self.report(answer, method, chain, pattern)
                if watch:
                    await watch.arefused(answer)
                if not isinstance(answer, ClientDisconnected):
                    await self._answer(answer, method, send)
                return
            webhook.captured = body
            webhook.path = scope["path"]
            if self.observer.listens:
                self.observer.accepted(provider=chain.provider, route=pattern, method=method)
            inner = dict(scope)
            inner["state"] = {**(scope.get("state") or {}), STATE_KEY: webhook}
            app = watch.aclearing(self.app) if watch else self.app
            lines = chain.lines_for(head)
            if claim is None and not lines:
                await app(inner, _Replay(body, receive), send)
            else:
                settlement = AsyncSettlement(self.store, claim)
                await Outgoing(send, settlement, lines).run(app, inner, _Replay(body, receive))
        finally:
            body.close()

    async def _answer(self, answer: Answer, method: str, send: Send) -> None:
        status, headers, content = self.response(answer, method)
        lines = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        await send({"type": "http.response.start", "status": status, "headers": lines})
        await send({"type": "http.response.body", "body": content, "more_body": False})


class Source:
    """Receives the body in pieces that never hold the event loop for long, within the route's deadline."""

    __slots__ = ("_arrived", "_body", "_chain", "_deadline", "_headers", "_more", "_receive", "_slices", "length")

    def __init__(self, receive: Receive, body: Body, headers: ByteLines, chain: Chain) -> None:
        self._receive = receive
        self._body = body
        self._headers = headers
        self._chain = chain
        self._deadline = 0.0
        """Monotonic seconds; 0 before the first read."""
        self._more = True
        self._arrived = 0
        self._slices: Iterator[bytes] | None = None
        declared = headers.all("content-length")
        self.length = _length(declared[0].strip(" \t")) if len(declared) == 1 else None

    def _start(self) -> None:
        """Raise ``LengthMalformed`` or ``RequestAmbiguous`` for a body that cannot be told from what follows it."""
        if self.length is None and self._headers.all("content-length"):
            raise LengthMalformed
        if any(coding.strip(" \t").lower() not in {"", "chunked"} for coding in self._headers.all("transfer-encoding")):
            msg = "a transfer coding other than chunked: what arrives is not what was signed"
            raise RequestAmbiguous(msg)
        self._deadline = time.monotonic() + self._chain.body_timeout

    async def read(self) -> bytes:
        """Return the next body bytes, ``b""`` at the end."""
        if self._slices is not None:
            piece = next(self._slices, b"")
            if piece:
                await (turn() if self._chain.pace < FAST_PACE else pause())
                return piece
        while self._more:
            chunk = await self._next()
            if chunk:
                pace = self._chain.pace
                if pace < FAST_PACE:
                    await turn()
                if len(chunk) <= pace:
                    return chunk
                self._slices = (chunk[start : start + pace] for start in range(0, len(chunk), pace))
                return next(self._slices)
        if self.length is not None and self._arrived != self.length:
            msg = f"{self._arrived} bytes arrived, {self.length} were declared; has an outer layer read the body?"
            raise BodyIncomplete(msg)
        if not self._body.sealed:
            await to_thread.run_sync(self._body.seal)
        return b""

    async def _next(self) -> bytes:
        if not self._deadline:
            self._start()
        message = await in_time(self._receive(), self._deadline)
        if message is None:
            msg = f"the body did not arrive within {self._chain.body_timeout:g} seconds (body_timeout)"
            raise BodyTimeout(msg)
        if message["type"] == "http.disconnect":
            raise ClientDisconnected
        chunk: bytes = message.get("body", b"")
        self._more = message.get("more_body", False)
        self._arrived += len(chunk)
        if chunk and self._arrived <= self._chain.max_body:
            self._body.hold(chunk)
            if self._body.full:
                await to_thread.run_sync(self._body.spill)
        return chunk


class _Replay:
    """Gives the application the captured body, then the server's own ``receive``.

    An invented ``http.disconnect`` would cut streaming responses short.
    """

    __slots__ = ("_body", "_offset", "_over", "_receive")

    def __init__(self, body: Body, receive: Receive) -> None:
        self._body = body
        self._receive = receive
        self._offset = 0
        self._over = False

    async def __call__(self) -> Message:
        if self._over:
            return await self._receive()
        if not self._body.on_disk:
            self._over = True
            return {"type": "http.request", "body": self._body.whole(), "more_body": False}
        piece = await to_thread.run_sync(self._body.at, self._offset, BATCH)
        self._offset += len(piece)
        self._over = self._offset >= self._body.size
        return {"type": "http.request", "body": piece, "more_body": not self._over}


def _length(declared: str) -> int | None:
    """Return the number of bytes that *declared* says, None where it is no number."""
    good = declared.isdecimal() and declared.isascii() and len(declared) < _LONGEST
    return int(declared) if good else None


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
