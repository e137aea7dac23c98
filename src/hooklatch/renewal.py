"""Keeps a claim's lease alive while an asynchronous application runs: renewed at a third of its length.

A quick request pays for an entry in a table and no timer; a task exists only while a claim is being renewed.
"""

from __future__ import annotations

import asyncio
import logging
import weakref
from typing import TYPE_CHECKING, Final, Protocol

from hooklatch.errors import StoreUnavailable
from hooklatch.observe import say

if TYPE_CHECKING:
    from hooklatch.types import AsyncStore, Claim


class Renewal(Protocol):
    """What renews claims until they leave it."""

    def leave(self, claim: Claim, /) -> None:
        """Renew *claim* no more."""


def keep_alive(store: AsyncStore, claim: Claim) -> Renewal:
    """Begin to renew *claim* at *store*; return what it leaves when it is settled."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return _OnTrio(store, claim)
    rounds = _rounds.get((weakref.ref(loop), claim.lease)) or _begun(loop, claim.lease)
    rounds.join(store, claim)
    return rounds


class _Rounds:
    """The claims of one event loop that have a lease of one length.

    A round is made every sixth of a lease: a claim misses one at most, so it is renewed before a third is over.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, lease: float) -> None:
        # The table that holds us goes by its loops, which must not be kept alive by it.
        self._loop = weakref.ref(loop)
        self._every = lease / 6
        self._young: dict[bytes, tuple[AsyncStore, Claim]] = {}
        self._old: dict[bytes, tuple[AsyncStore, Claim]] = {}
        self._tasks: dict[bytes, asyncio.Task[None]] = {}
        self._idle = True

    def join(self, store: AsyncStore, claim: Claim) -> None:
        self._young[claim.token] = (store, claim)
        if self._idle:
            self._again()

    def leave(self, claim: Claim, /) -> None:
        token = claim.token
        if self._young.pop(token, None) is None and self._old.pop(token, None) is None:
            task = self._tasks.pop(token, None)
            if task is not None:
                task.cancel()

    def _again(self) -> None:
        loop = self._loop()
        if loop is not None:
            self._idle = False
            loop.call_later(self._every, self._round)

    def _round(self) -> None:
        due, self._old, self._young = self._old, self._young, {}
        for token, (store, claim) in due.items():
            self._tasks[token] = asyncio.create_task(self._renew(store, claim))
        self._idle = True
        if self._old or self._tasks:
            self._again()

    async def _renew(self, store: AsyncStore, claim: Claim) -> None:
        try:
            if await _renewed(store, claim):
                self._young[claim.token] = (store, claim)
        finally:
            self._tasks.pop(claim.token, None)


_rounds: Final[dict[tuple[weakref.ref[asyncio.AbstractEventLoop], float], _Rounds]] = {}


def _begun(loop: asyncio.AbstractEventLoop, lease: float) -> _Rounds:
    """Return new rounds of *loop*, and forget those of loops that are gone."""
    for place in list(_rounds):
        if place[0]() is None:
            _rounds.pop(place, None)
    made = _rounds[weakref.ref(loop), lease] = _Rounds(loop, lease)
    return made


class _OnTrio:
    """The renewal of one claim: a task that sleeps."""

    def __init__(self, store: AsyncStore, claim: Claim) -> None:
        import trio  # noqa: PLC0415 - only where trio runs already

        scope = self._scope = trio.CancelScope()

        async def renew() -> None:
            with scope:
                await trio.sleep(claim.lease / 3)
                while await _renewed(store, claim):  # noqa: ASYNC110 - the other side is a store, not an event
                    await trio.sleep(claim.lease / 3)

        trio.lowlevel.spawn_system_task(renew, name="hooklatch renewal")

    def leave(self, _: Claim, /) -> None:
        self._scope.cancel()


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
