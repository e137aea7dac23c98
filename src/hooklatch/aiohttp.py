"""aiohttp: set it up, read the verdict.

    app = web.Application()
    setup(app, routes={"/hooks/github": GITHUB.chain(secret)}, protect=["/hooks/*"])

    @verified(GITHUB)
    async def push(request):
        event = await request.json()
        logger.info("%s %s", request[WEBHOOK].provider, event["ref"])
        return web.Response(status=204)

aiohttp is neither WSGI nor ASGI, so ``setup`` puts a middleware first that speaks ASGI with ``hooklatch.asgi`` and
aiohttp with the handler. Routes are full paths, below ``add_subapp`` too. A handler reads the body as ever: ``read``,
``text``, ``json``, ``post``, ``multipart`` and ``content``; it lies in memory by then, and ``client_max_size`` (1 MiB)
still says how much of it a handler may read. aiohttp undoes a ``Content-Encoding`` before anybody sees the bytes that
were signed: run the application with ``AppRunner(app, auto_decompress=False)`` where senders compress.

A claim is committed when the handler has returned 2xx; a body that is an async iterable is sent first. ``verified`` and
``webhook_of`` are the second lock.
"""

from __future__ import annotations

import asyncio
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, Unpack

from aiohttp import StreamReader, web

from hooklatch.asgi import WebhookMiddleware
from hooklatch.errors import ConfigError, NotProven
from hooklatch.lock import BODY, MEDIA_TYPE, demand, headers, sender
from hooklatch.types import Webhook
from hooklatch.verdict import STATE_KEY

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import Message, Receive, Scope, Send

    from hooklatch.chain import Chain
    from hooklatch.provider import Provider
    from hooklatch.settings import Settings

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

__all__ = ["WEBHOOK", "setup", "verified", "webhook_of"]

WEBHOOK: Final = web.RequestKey("hooklatch.webhook", Webhook)
"""Under this key a request holds its verdict, as the door attached it."""

_DOOR: Final = web.AppKey("hooklatch.door", WebhookMiddleware)
_EXCHANGE: Final = "hooklatch.aiohttp"


def setup(app: web.Application, **settings: Unpack[Settings]) -> None:
    """Latch *app*, once, before all its middlewares; ``hooklatch.asgi.WebhookMiddleware`` explains the *settings*."""
    if _DOOR in app:
        msg = "this application is latched already; give all its routes to one setup()"
        raise ConfigError(msg)
    given: Settings = {"routes": {}, **settings}
    app[_DOOR] = door = WebhookMiddleware(_handled, **given)

    @web.middleware
    async def latch(request: web.Request, handler: Handler) -> web.StreamResponse:
        exchange = _Exchange(request, handler)
        await door(exchange.scope(), exchange.receive, exchange.send)
        return exchange.result()

    app.middlewares.insert(0, latch)


def webhook_of(
    request: web.Request, expected: Provider | Chain | str | None = None, *, allow_test: bool = False
) -> Webhook:
    """Return the verdict on *request*, or raise the ``web.HTTPUnauthorized`` that becomes a 401.

    *expected* and *allow_test* are those of ``hooklatch.get_webhook``, which is this function without a framework.
    """
    try:
        return demand(request, expected, allow_test=allow_test)
    except NotProven as missing:
        raise web.HTTPUnauthorized(headers=headers(), text=BODY.decode(), content_type=MEDIA_TYPE) from missing


def verified(expected: Provider | Chain | str, *, allow_test: bool = False) -> Callable[[Handler], Handler]:
    """Return a decorator for handlers: 401 unless *expected* sent this very request.

    *expected*: the provider, its name, or the route's chain; *allow_test*: whether test traffic that the route marks
    (``on_test="mark"``) may come in. Raises ``ConfigError`` for anything else. A ``web.View`` asks ``webhook_of``.
    """
    sender(expected, "@verified(GITHUB)")

    def decorate(handler: Handler) -> Handler:
        @wraps(handler)
        async def called(request: web.Request) -> web.StreamResponse:
            webhook_of(request, expected, allow_test=allow_test)
            return await handler(request)

        return called

    return decorate


class _Exchange:
    """One request and its answer, aiohttp's on one side and ASGI's on the other."""

    def __init__(self, request: web.Request, handler: Handler) -> None:
        self.request = request
        self.handler = handler
        self.answer: web.StreamResponse | None = None

    def scope(self) -> Scope:
        request = self.request
        target = request.rel_url
        return {
            "type": "http",
            "method": request.method,
            "path": request.path,
            "raw_path": target.raw_path.encode("utf-8", "surrogateescape"),
            "query_string": target.raw_query_string.encode("utf-8", "surrogateescape"),
            "headers": [(name.lower(), value) for name, value in request.raw_headers],
            "client": (request.remote, 0) if request.remote else None,
            _EXCHANGE: self,
        }

    async def receive(self) -> Message:
        content = self.request.content
        try:
            chunk = await content.readany()
        except Exception:  # noqa: BLE001 - broken framing and a lost line have many names, and none is our fault
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": chunk, "more_body": not content.at_eof()}

    async def send(self, message: Message) -> None:
        """Take in the door's own answer, or what it adds to that of the handler."""
        if message["type"] != "http.response.start":
            if self.answer is not None and isinstance(self.answer, web.Response) and "body" in message:
                self.answer.body = message["body"]
            return
        if self.answer is None:
            self.answer = web.Response(status=message["status"])
        if not self.answer.prepared:
            self.answer.headers.extend((name.decode(), value.decode("latin-1")) for name, value in message["headers"])

    def result(self) -> web.StreamResponse:
        """Return what aiohttp is to send; where the sender has gone nobody reads it."""
        if isinstance(self.answer, web.HTTPException):
            raise self.answer
        return self.answer or web.Response(status=web.HTTPBadRequest.status_code)


async def _handled(scope: Scope, receive: Receive, send: Send) -> None:
    """Run the handler, and tell the door in ASGI's words how it ended."""
    exchange: _Exchange = scope[_EXCHANGE]
    request = exchange.request
    webhook = (scope.get("state") or {}).get(STATE_KEY)
    if webhook is not None:
        request[WEBHOOK] = webhook
        # Having been read, the request would keep nothing for multipart() and content; there is no public way back.
        request._payload = await _replayed(request, receive)  # noqa: SLF001
        request._cache.pop("content", None)  # noqa: SLF001
    try:
        exchange.answer = answer = await exchange.handler(request)
    except web.HTTPException as raised:
        exchange.answer = answer = raised
    await send({"type": "http.response.start", "status": answer.status, "headers": []})
    if webhook is not None and isinstance(answer, web.Response) and not isinstance(answer.body, bytes | None):
        # An iterable may break off; aiohttp would find out after the claim is settled.
        await answer.prepare(request)
        await answer.write_eof()
    await send({"type": "http.response.body"})


async def _replayed(request: web.Request, receive: Receive) -> StreamReader:
    """Return the proven body as the stream that every way of reading a request begins with."""
    pieces: list[bytes] = []
    more = True
    while more:
        message: Any = await receive()
        pieces.append(message["body"])
        more = message["more_body"]
    # The limit keeps the stream from pausing a connection on which nothing is to come.
    stream = StreamReader(request.protocol, sum(map(len, pieces)) + 1, loop=asyncio.get_running_loop())
    for piece in pieces:
        stream.feed_data(piece)
    stream.feed_eof()
    return stream
