"""Settling a claim: committed when the work is done, given back when it is not, exactly once, and never loudly.

By the time a claim is settled the application has done its work and its answer stands. A store that fails now is
logged; the lease frees what could not be released.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from hooklatch.errors import StoreUnavailable
from hooklatch.renewal import keep_alive

if TYPE_CHECKING:
    from hooklatch.types import AsyncStore, Claim, Store

logger: Final = logging.getLogger("hooklatch")


class Settlement:
    """The claim of one request, until it is settled."""

    __slots__ = ("_claim", "_store")

    def __init__(self, store: Store, claim: Claim | None) -> None:
        """*claim*: None where the route keeps no memory."""
        self._store = store
        self._claim = claim

    @property
    def pending(self) -> bool:
        """Whether there is a claim that nobody has settled."""
        return self._claim is not None

    def finish(self, *, good: bool) -> None:
        """Commit if *good*, release otherwise; do nothing the second time."""
        # The slot is emptied first, so that no way out of the store's call can settle twice.
        claim, self._claim = self._claim, None
        if claim is None:
            return
        try:
            if not good:
                self._store.release(claim)
            elif not self._store.commit(claim):
                _lost()
        except StoreUnavailable as bad:
            _failed(bad, good=good)


class AsyncSettlement:
    """The same, awaited, and renewed until then; the store's asynchronous face shields what must not be cut short."""

    __slots__ = ("_claim", "_stop", "_store")

    def __init__(self, store: AsyncStore, claim: Claim | None) -> None:
        """*claim*: None where the route keeps no memory."""
        self._store = store
        self._claim = claim
        self._stop = _nothing if claim is None else keep_alive(store, claim)

    @property
    def pending(self) -> bool:
        """Whether there is a claim that nobody has settled."""
        return self._claim is not None

    async def finish(self, *, good: bool) -> None:
        """Commit if *good*, release otherwise; do nothing the second time."""
        claim, self._claim = self._claim, None
        if claim is None:
            return
        self._stop()
        try:
            if not good:
                await self._store.release(claim)
            elif not await self._store.commit(claim):
                _lost()
        except StoreUnavailable as bad:
            _failed(bad, good=good)


def _nothing() -> None:
    """End nothing: there is no claim to renew."""


def _lost() -> None:
    logger.warning("lease_lost: the application ran longer than its lease; the same delivery may run again (lease=)")


def _failed(bad: StoreUnavailable, *, good: bool) -> None:
    if good:
        logger.error("commit_failed: %s; the answer stands, but the same delivery may run again", bad)
    else:
        logger.warning("release_failed: %s; the lease will free the delivery", bad)
