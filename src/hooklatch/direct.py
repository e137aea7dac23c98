"""Judgement without middleware: in a script, a queue worker, an AWS Lambda handler.

``verify`` remembers nothing; ``receive`` claims the delivery, commits at the end of the block and releases on an
exception. Both raise an ``Answer`` for everything that is not to be processed, test traffic and duplicates included,
so that a caller who forgets to look cannot process it.
"""

from __future__ import annotations

import time
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote

from hooklatch.body import Body, Spool
from hooklatch.drive import arun, pause, run
from hooklatch.lines import GivenHeaders, byte_lines
from hooklatch.settle import Settlement
from hooklatch.stores import Unremembering, as_async, as_store
from hooklatch.types import Head, Webhook

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from hooklatch.stores import AnyStore
    from hooklatch.types import AsyncStore, Flow, Store


class _Chain(Protocol):
    @property
    def pace(self) -> int: ...
    def flow(self, head: Head) -> Flow: ...


class Direct:
    """The methods of a chain that need no server."""

    def verify(
        self: _Chain,
        *,
        headers: GivenHeaders,
        body: bytes,
        method: str = "POST",
        url: str = "/",
        now: float | None = None,
    ) -> Webhook:
        """Return the proven delivery, or raise an ``Answer``. Duplicates go unnoticed.

        *headers*: text pairs or a mapping; *body*: the bytes as received; *url*: as requested, query included;
        *now*: unix seconds, our clock by default.
        """
        request = _Request(self, headers, body, method, url, now)
        webhook = request.attached(run(request.flow, request.read, Unremembering()).webhook)
        webhook.duplicates = "unchecked"
        return webhook

    async def averify(
        self: _Chain,
        *,
        headers: GivenHeaders,
        body: bytes,
        method: str = "POST",
        url: str = "/",
        now: float | None = None,
    ) -> Webhook:
        """Do as ``verify`` does, awaiting the source of the secrets, and never holding the event loop for long."""
        request = _Request(self, headers, body, method, url, now)
        admitted = await arun(request.flow, request.aread, as_async(Unremembering()))
        webhook = request.attached(admitted.webhook)
        webhook.duplicates = "unchecked"
        return webhook

    def receive(
        self: _Chain,
        *,
        headers: GivenHeaders,
        body: bytes,
        store: AnyStore | str,
        method: str = "POST",
        url: str = "/",
        now: float | None = None,
    ) -> AbstractContextManager[Webhook]:
        """Return a context that holds the delivery's claim: committed at its end, released on an exception.

        *store*: a store, or its URL; keep one store for all calls, or the memory of duplicates is lost between them.
        """
        return _received(_Request(self, headers, body, method, url, now), as_store(store))

    def areceive(
        self: _Chain,
        *,
        headers: GivenHeaders,
        body: bytes,
        store: AnyStore | str,
        method: str = "POST",
        url: str = "/",
        now: float | None = None,
    ) -> AbstractAsyncContextManager[Webhook]:
        """Do as ``receive`` does, for ``async with``."""
        return _areceived(_Request(self, headers, body, method, url, now), as_async(store))


@contextmanager
def _received(request: _Request, store: Store) -> Iterator[Webhook]:
    admitted = run(request.flow, request.read, store)
    settlement = Settlement(store, admitted.claim)
    try:
        yield request.attached(admitted.webhook)
    except BaseException:
        settlement.finish(good=False)
        raise
    settlement.finish(good=True)


@asynccontextmanager
async def _areceived(request: _Request, store: AsyncStore) -> AsyncIterator[Webhook]:
    from hooklatch.settle_async import AsyncSettlement  # noqa: PLC0415 - synchronous programs never pay for it

    admitted = await arun(request.flow, request.aread, store)
    settlement = AsyncSettlement(store, admitted.claim)
    try:
        yield request.attached(admitted.webhook)
    except BaseException:
        await settlement.finish(good=False)
        raise
    await settlement.finish(good=True)


class _Request:
    """One request handed over as values."""

    def __init__(
        self, chain: _Chain, headers: GivenHeaders, body: bytes, method: str, url: str, now: float | None
    ) -> None:
        _demand_bytes(body)
        path, query = _target(url)
        self._body = body
        self._offset = 0
        self._pace = chain.pace
        self.flow = chain.flow(
            Head(
                method=method,
                path=unquote(path),
                query=query,
                headers=byte_lines(headers),
                received_at=time.time() if now is None else now,
                length=len(body),
                target=path,
            )
        )

    def read(self) -> bytes:
        chunk = self._body[self._offset : self._offset + self._pace]
        self._offset += len(chunk)
        return chunk

    async def aread(self) -> bytes:
        if self._offset:
            await pause()
        return self.read()

    def attached(self, webhook: Webhook) -> Webhook:
        """Return *webhook* with its body in memory, which needs no closing."""
        webhook.captured = Body(Spool(threshold=len(self._body)))
        webhook.captured.write(self._body)
        return webhook


def _target(url: str) -> tuple[str, str]:
    """Return path and query of *url* as latin-1 views of its bytes; a stranger's URL must not raise here."""
    rest = url.encode("utf-8", "replace").decode("latin-1").partition("#")[0]
    if "://" in rest.partition("?")[0]:
        host, slash, tail = rest.partition("://")[2].partition("/")
        rest = slash + tail if slash else f"/?{host.partition('?')[2]}"
    path, _, query = rest.partition("?")
    return path or "/", query


def _demand_bytes(body: object) -> None:
    if not isinstance(body, bytes):
        msg = f"body must be bytes as received, not {type(body).__name__}: a signature is over bytes"
        raise TypeError(msg)
