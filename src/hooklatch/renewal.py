"""Keeps a claim's lease alive while an asynchronous application runs: renewed at a third of its length.

A timer that is cancelled is all that a quick request pays for; a task exists only from the first renewal on.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from hooklatch.errors import StoreUnavailable
from hooklatch.observe import say

if TYPE_CHECKING:
    from collections.abc import Callable

    from hooklatch.types import AsyncStore, Claim


def keep_alive(store: AsyncStore, claim: Claim) -> Callable[[], object]:
    """Begin to renew *claim* at *store*; return what ends it."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return _on_trio(store, claim)
    return _OnAsyncio(loop, store, claim).stop


class _OnAsyncio:
    __slots__ = ("_claim", "_loop", "_store", "_task", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop, store: AsyncStore, claim: Claim) -> None:
        self._loop = loop
        self._store = store
        self._claim = claim
        self._task: asyncio.Task[None] | None = None
        self._timer = loop.call_later(claim.lease / 3, self._due)

    def _due(self) -> None:
        self._task = self._loop.create_task(self._renew())

    async def _renew(self) -> None:
        if await _renewed(self._store, self._claim):
            self._timer = self._loop.call_later(self._claim.lease / 3, self._due)

    def stop(self) -> None:
        self._timer.cancel()
        if self._task is not None:
            self._task.cancel()


def _on_trio(store: AsyncStore, claim: Claim) -> Callable[[], object]:
    import trio  # noqa: PLC0415 - only where trio runs already

    scope = trio.CancelScope()

    async def renew() -> None:
        with scope:
            await trio.sleep(claim.lease / 3)
            while await _renewed(store, claim):  # noqa: ASYNC110 - the other side is a store, not an event
                await trio.sleep(claim.lease / 3)

    trio.lowlevel.spawn_system_task(renew, name="hooklatch renewal")
    return scope.cancel


async def _renewed(store: AsyncStore, claim: Claim) -> bool:
    """Renew once; return whether to go on. A store that is down for a moment may be up before the lease ends."""
    try:
        if await store.renew(claim):
            return True
    except StoreUnavailable as bad:
        say(logging.WARNING, "renew_failed: %s; trying again while the lease lasts", bad)
        return True
    # Released, taken over, or done in the application's own transaction: the commit will tell.
    return False
