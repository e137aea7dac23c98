"""Django's streaming responses on their way out: the claim is settled when the last chunk goes.

A sync iterator goes through the WSGI door's ``Outgoing``. An async one is awaited to its end, and then the claim is
committed; one that breaks off, is cancelled or is never read gives it back.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, cast

from asgiref.sync import async_to_sync, sync_to_async

from hooklatch.settle import Settlement
from hooklatch.wsgi_outgoing import Outgoing

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable

    from django.http.response import HttpResponseBase

    from hooklatch.body import Body
    from hooklatch.settle_async import AsyncSettlement

_ending: Final[set[asyncio.Task[None]]] = set()
"""Tasks that give a claim back; the event loop itself holds them weakly."""


def is_good(response: HttpResponseBase) -> bool:
    """Return whether *response* says that the delivery was processed."""
    return 200 <= response.status_code < 300  # noqa: PLR2004 - the 2xx are the language of HTTP


def stream(response: HttpResponseBase, settlement: Settlement, body: Body, method: str) -> None:
    """Settle when the chunks of *response*, to a request by *method*, are used up."""
    streaming = cast("Any", response)
    if streaming.is_async:
        stream_async(response, settlement, body)
        return
    content = streaming.streaming_content

    def answered(_: object, start_response: Callable[..., object]) -> Iterable[bytes]:
        start_response(f"{response.status_code}", list(response.items()))
        return cast("Iterable[bytes]", content)

    streaming.streaming_content = Outgoing(_started, settlement, body, (), method).run(answered, {})


def stream_async(response: HttpResponseBase, settlement: Settlement | AsyncSettlement, body: Body) -> None:
    """Settle when the chunks of *response*, which becomes asynchronous, are used up."""
    streaming = cast("Any", response)
    content = streaming.streaming_content
    chunks = content if streaming.is_async else _awaited(content)
    streaming.streaming_content = _Stream(chunks, settlement, body, good=is_good(response))


class _Stream:
    """Chunks, and a claim to settle behind them."""

    def __init__(
        self, chunks: AsyncIterable[bytes], settlement: Settlement | AsyncSettlement, body: Body, *, good: bool
    ) -> None:
        self._chunks = chunks
        self._settlement = settlement
        self._body = body
        self._good = good

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._chunks:
                yield chunk
            await self._settle(good=self._good)
        finally:
            await self._settle(good=False)

    async def _settle(self, *, good: bool) -> None:
        """Settle, unless that was done, and let the body go."""
        if isinstance(self._settlement, Settlement):
            await sync_to_async(self._settlement.finish, thread_sensitive=False)(good=good)
        else:
            await self._settlement.finish(good=good)
        self._body.close()

    def close(self) -> None:
        """Give back what nobody settled: Django calls this from a thread, its test client from the event loop."""
        if not self._settlement.pending:
            self._body.close()
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            async_to_sync(self._settle)(good=False)
        else:
            task = loop.create_task(self._settle(good=False))
            _ending.add(task)
            task.add_done_callback(_ending.discard)


async def _awaited(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    """Yield the chunks of a sync iterator as Django's ASGI handler does: all at once, in a thread."""
    for chunk in await sync_to_async(_all)(chunks):
        yield chunk


def _all(chunks: Iterable[bytes]) -> list[bytes]:
    return list(chunks)


def _started(*_: object) -> Callable[[bytes], object]:
    """Stand in for the server's ``start_response``: Django sends the head of its response itself."""
    return lambda _: None
