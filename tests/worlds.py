"""One endpoint in any world: an application that records what it sees, behind the middleware, and a way to post."""

from __future__ import annotations

import contextlib
import importlib
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import anyio

from hooklatch.asgi import WebhookMiddleware as ASGIWebhookMiddleware
from hooklatch.stores import MemoryStore, PostgresStore, RedisStore, SQLiteStore
from hooklatch.testing import Answered, Clock, Request, call_asgi, call_wsgi
from hooklatch.types import Delivery, Hash, Store, Webhook
from hooklatch.wsgi import WebhookMiddleware as WSGIWebhookMiddleware
from services import absent, postgres_server, redis_server

if TYPE_CHECKING:
    from hooklatch.observe import Event

NOW = 1_700_000_000.0


def world_names() -> list[str]:
    return ["wsgi", "asyncio", "trio"]


def store_names() -> list[str]:
    return ["memory", "sqlite", "redis", "postgres"]


@contextlib.contextmanager
def make_store(name: str) -> Iterator[Store]:
    """Yield a new, empty store that waits for its server as long as a busy test machine may need."""
    if name == "memory":
        yield MemoryStore()
    elif name == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            store = SQLiteStore(Path(folder) / "deliveries.db", timeout=5)
            yield store
            store.close()
    elif name == "redis":
        redis = RedisStore(url=redis_server().url, namespace=f"test-{uuid.uuid4()}", timeout=5)
        yield redis
        redis.close()
    else:
        assert name == "postgres"
        postgres = PostgresStore(postgres_server().url, table=f"test_{uuid.uuid4().hex}", timeout=5)
        yield postgres
        postgres.close()


@dataclass
class Seen:
    """What the application saw of one request."""

    body: bytes
    webhook: Webhook | None
    path: str


@dataclass
class Endpoint:
    """An application that records and answers as it is told, and the door in front of it."""

    world: str
    calls: list[Seen] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    """What to answer next; 200 once the list is used up; 0 raises."""
    clock: Clock = field(default_factory=lambda: Clock(NOW))
    during: Callable[[], None] = lambda: None
    """Called while the application runs."""
    app: Any = None
    store: Any = None

    def _next(self, seen: Seen) -> int:
        self.calls.append(seen)
        self.during()
        status = self.statuses.pop(0) if self.statuses else 200
        if not status:
            raise ApplicationError
        return status

    def wsgi(self, environ: Any, start_response: Any) -> list[bytes]:
        body = environ["wsgi.input"].read()
        status = self._next(Seen(body, environ.get("hooklatch.webhook"), environ["SCRIPT_NAME"] + environ["PATH_INFO"]))
        start_response(f"{status} Told", [("Content-Type", "text/plain")])
        return [b"from the application"]

    async def asgi(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        more = True
        while more:
            message = await receive()
            assert message["type"] == "http.request"
            body += message.get("body", b"")
            more = message.get("more_body", False)
        status = self._next(Seen(body, scope.get("state", {}).get("webhook"), scope["path"]))
        headers = [(b"content-type", b"text/plain")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"from the application", "more_body": False})

    def post(self, request: Delivery | Request, **overrides: Any) -> Answered:
        """Send one request; overrides go to the environ or the scope."""
        if self.world == "wsgi":
            return call_wsgi(self.app, request, **overrides)

        async def once() -> Answered:
            try:
                with anyio.fail_after(20):
                    return await call_asgi(self.app, request, **overrides)
            finally:
                # Every post has an event loop of its own, and with it a client of its own.
                close = getattr(getattr(self.store, "aio", None), "aclose", None)
                if close is not None and self.world == "asyncio":
                    await close()

        return anyio.run(once, backend=self.world)

    @property
    def reason(self) -> str:
        """The reason of the last answer that the application did not give; empty if the last was accepted."""
        return self.events[-1].reason

    @property
    def last(self) -> Webhook:
        """The verdict on the last request that reached the application."""
        webhook = self.calls[-1].webhook
        assert isinstance(webhook, Webhook)
        return webhook


EXTENSION = "hooklatch._ripemd128_c"


def compiled_ripemd128() -> type[Hash]:
    """Return the class that the extension has; skip the test where it was not built."""
    try:
        found: type[Hash] = importlib.import_module(EXTENSION).RIPEMD128
    except ImportError:
        absent("the C extension is not built: python setup.py build_ext --inplace")
    return found


@contextlib.contextmanager
def without_extension() -> Iterator[None]:
    """Let RIPEMD-128 run in pure Python in the chains that are made meanwhile."""
    with patch.dict(sys.modules, {EXTENSION: None}):
        yield


class ApplicationError(Exception):
    """What an application raises when told to fail."""


def make_endpoint(world: str, *, statuses: list[int] | None = None, **settings: Any) -> Endpoint:
    made = Endpoint(world, statuses=statuses or [])
    settings = {"clock": made.clock, "observer": made.events.append, "store": MemoryStore(), **settings}
    made.store = settings["store"]
    if world == "wsgi":
        made.app = WSGIWebhookMiddleware(made.wsgi, **settings)
    else:
        made.app = ASGIWebhookMiddleware(made.asgi, **settings)
    return made
