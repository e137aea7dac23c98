"""What the one behaviour suite asks of every framework: an application with these paths, and a way to post to it.

A file in ``framework_apps/`` is an adapter. Its ``BUILDS`` maps a name to a function ``build(record, **settings)`` that
makes the application, latches it with the *settings* of ``WebhookMiddleware`` and returns a ``Post``.
``WHOLE``, where there is one, names those under which a stream that breaks off may end as if it were whole. Paths:

    /hooks/raw         the body as the framework reads it, as bytes
    /hooks/json        what the framework parses from JSON, as JSON
    /hooks/form        {name: [values]} of a form, as JSON
    /hooks/multipart   [title, file name, file content in hex] of a multipart form, as JSON
    /hooks/work        ``record.status()`` with no body
    /hooks/stream      ``record.pieces()``, streamed (``record.apieces()`` where that is asynchronous)
    /hooks/github      behind the module's second lock for GITHUB: [provider, test] as JSON
    /hooks/stripe      the same for STRIPE
    /hooks/open        the same for GITHUB, with ``allow_test=True``
    /elsewhere/github  as ``/hooks/github``, where no route judges
    /elsewhere/raw     as ``/hooks/raw``, without ``record.run``

Every handler calls ``record.run(request)`` first, with the framework's own request object, but for ``/elsewhere/raw``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import anyio

from hooklatch import Delivery, Webhook, get_webhook
from hooklatch.testing import Answered, call_asgi, call_wsgi

Post = Callable[[Delivery], Answered]
Build = Callable[..., Post]

PIECES = (b"one ", b"two ", b"three")


class HandlerError(Exception):
    """What a handler raises when told to fail."""


@dataclass
class Record:
    """What the handlers saw, and what they are to do."""

    runs: int = 0
    statuses: list[int] = field(default_factory=list)
    """What ``/hooks/work`` answers next; 204 once the list is used up; 0 raises."""
    breaks: int = 0
    """How many streams break off before their last piece."""
    webhooks: list[Webhook] = field(default_factory=list)
    closing: ExitStack = field(default_factory=ExitStack)
    """What an adapter opens for longer than one request."""

    def run(self, request: object) -> None:
        self.runs += 1
        self.webhooks.append(get_webhook(request, allow_test=True))

    def status(self) -> int:
        status = self.statuses.pop(0) if self.statuses else 204
        if not status:
            raise HandlerError
        return status

    def pieces(self) -> Iterator[bytes]:
        yield from PIECES[:2]
        if self.breaks:
            self.breaks -= 1
            raise HandlerError
        yield PIECES[2]

    async def apieces(self) -> AsyncIterator[bytes]:
        for piece in self.pieces():
            await anyio.lowlevel.checkpoint()
            yield piece


def seen(webhook: Webhook) -> list[Any]:
    """Return what a handler behind the second lock answers."""
    return [webhook.provider, webhook.test]


def wsgi_post(app: Any) -> Post:
    """Return how to post to a WSGI callable; what it raises is a server's 500."""

    def post(delivery: Delivery) -> Answered:
        try:
            return call_wsgi(app, delivery)
        except HandlerError:
            return Answered(500, (), b"")

    return post


def _told(raised: BaseException | None) -> bool:
    """Return whether *raised* is what a handler was told to raise, however often a framework has wrapped it."""
    if raised is None or isinstance(raised, HandlerError):
        return raised is not None
    members = raised.exceptions if isinstance(raised, BaseExceptionGroup) else ()
    return any(map(_told, (*members, raised.__cause__, raised.__context__)))


def asgi_post(app: Any, served: ExitStack | None = None) -> Post:
    """Return how to post to an ASGI callable; what it raises is a server's 500.

    *served*: where the application wants a lifespan, what to close when it is over.
    """

    async def once(delivery: Delivery) -> Answered:
        try:
            with anyio.fail_after(20):
                return await call_asgi(app, delivery)
        except Exception as raised:
            if not _told(raised):
                raise
            return Answered(500, (), b"")

    if served is None:
        return lambda delivery: anyio.run(once, delivery)
    runner = served.enter_context(asyncio.Runner())
    lifespan = _Lifespan(app)
    runner.run(lifespan.start())
    served.callback(lambda: runner.run(lifespan.stop()))
    return lambda delivery: runner.run(once(delivery))


class _Lifespan:
    """An application's lifespan on one event loop."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._asked: asyncio.Queue[Any] = asyncio.Queue()
        self._told: asyncio.Queue[Any] = asyncio.Queue()

    async def start(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
        self._task = asyncio.create_task(self._app(scope, self._asked.get, self._told.put))
        await self._ask("startup")

    async def stop(self) -> None:
        await self._ask("shutdown")
        await self._task

    async def _ask(self, phase: str) -> None:
        await self._asked.put({"type": f"lifespan.{phase}"})
        answer = await asyncio.wait_for(self._told.get(), 20)
        assert answer["type"] == f"lifespan.{phase}.complete"
