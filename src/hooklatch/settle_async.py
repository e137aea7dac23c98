"""Settling a claim on an event loop, and renewing it until then. See ``settle``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hooklatch.errors import StoreUnavailable
from hooklatch.renewal import keep_alive
from hooklatch.settle import failed, lost

if TYPE_CHECKING:
    from hooklatch.types import AsyncStore, Claim


class AsyncSettlement:
    """The same, awaited, and renewed until then; the store's asynchronous face shields what must not be cut short."""

    __slots__ = ("_claim", "_renewal", "_store", "pending")

    def __init__(self, store: AsyncStore, claim: Claim | None) -> None:
        """*claim*: None where the route keeps no memory."""
        self._store = store
        self._claim = claim
        self.pending = claim is not None
        """Whether there is a claim that nobody has settled."""
        self._renewal = None if claim is None else keep_alive(store, claim)

    async def finish(self, *, good: bool) -> None:
        """Commit if *good*, release otherwise; do nothing the second time."""
        claim, self._claim, self.pending = self._claim, None, False
        if claim is None or self._renewal is None:
            return
        self._renewal.leave(claim)
        try:
            if not good:
                await self._store.release(claim)
            elif not await self._store.commit(claim):
                lost()
        except StoreUnavailable as bad:
            failed(bad, good=good)
