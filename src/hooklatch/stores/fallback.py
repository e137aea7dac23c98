"""What is done when a store fails: a small memory of this process stands in, as far as it may.

Always: a delivery whose commit failed is remembered here as done, so that its retry is not run again by this process.
With ``fail_open``: a claim that the store cannot answer is decided here, so that deliveries go on; other processes do
not know of it, and the webhook says ``duplicates == "unchecked"``.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

from hooklatch.errors import StoreUnavailable
from hooklatch.observe import say
from hooklatch.stores.memory import MemoryStore
from hooklatch.types import State

if TYPE_CHECKING:
    from hooklatch.types import AsyncStore, Claim, Standing, Store

LOCAL: Final = 100_000
"""Deliveries this process can remember on a store's behalf."""

SAY_EVERY: Final = 60.0
"""Seconds between two log lines about claims that were decided without the store."""


class _Local:
    """The memory that stands in."""

    def __init__(self, *, fail_open: bool) -> None:
        self.fail_open = fail_open
        self.decided = 0
        """Claims that were decided without the store."""
        self._memory = MemoryStore(limit=LOCAL)
        self._tokens: set[bytes] = set()
        self._said = float("-inf")
        self._used = False

    def known(self, claim: Claim) -> Standing | None:
        """Return what is known here of a delivery, None where the store is to be asked."""
        if not self._used:
            return None
        standing = self._memory.peek(claim)
        return None if standing.state is State.GRANTED else standing

    def decide(self, claim: Claim, bad: StoreUnavailable) -> Standing:
        """Decide a claim that the store could not; raise *bad* unless that is allowed."""
        if not self.fail_open:
            raise bad
        self.decided += 1
        now = time.monotonic()
        if now - self._said > SAY_EVERY:
            self._said = now
            say(logging.ERROR, "fail_open: %s; %d claims were decided by this process alone", bad, self.decided)
        self._used = True
        standing = self._memory.claim(claim)
        if standing.state is State.GRANTED:
            self._tokens.add(claim.token)
        return standing._replace(checked=False)

    def holds(self, claim: Claim) -> bool:
        """Return whether *claim* was granted here."""
        return bool(self._tokens) and claim.token in self._tokens

    def renew(self, claim: Claim) -> bool:
        return self._memory.renew(claim)

    def commit(self, claim: Claim) -> bool:
        self._tokens.discard(claim.token)
        return self._memory.commit(claim)

    def release(self, claim: Claim) -> None:
        self._tokens.discard(claim.token)
        self._memory.release(claim)

    def remember(self, claim: Claim) -> None:
        """Remember as done what the store could not commit."""
        self._used = True
        try:
            self._memory.commit(claim)
        except StoreUnavailable:
            return  # the commit's failure is being logged already


class Fallback:
    """A store and its stand-in, for plain calls."""

    def __init__(self, store: Store, *, fail_open: bool) -> None:
        """*store*: asked first."""
        self._store = store
        self._local = _Local(fail_open=fail_open)

    def claim(self, claim: Claim, /) -> Standing:
        """See ``hooklatch.types.Store``."""
        known = self._local.known(claim)
        if known is not None:
            return known
        try:
            return self._store.claim(claim)
        except StoreUnavailable as bad:
            return self._local.decide(claim, bad)

    def renew(self, claim: Claim, /) -> bool:
        """See ``hooklatch.types.Store``."""
        return self._local.renew(claim) if self._local.holds(claim) else self._store.renew(claim)

    def commit(self, claim: Claim, /) -> bool:
        """See ``hooklatch.types.Store``."""
        if self._local.holds(claim):
            return self._local.commit(claim)
        try:
            return self._store.commit(claim)
        except StoreUnavailable:
            self._local.remember(claim)
            raise

    def release(self, claim: Claim, /) -> None:
        """See ``hooklatch.types.Store``."""
        if self._local.holds(claim):
            self._local.release(claim)
        else:
            self._store.release(claim)


class AsyncFallback:
    """A store and its stand-in, awaited."""

    def __init__(self, store: AsyncStore, *, fail_open: bool) -> None:
        """*store*: asked first."""
        self._store = store
        self._local = _Local(fail_open=fail_open)

    async def claim(self, claim: Claim, /) -> Standing:
        """See ``hooklatch.types.Store``."""
        known = self._local.known(claim)
        if known is not None:
            return known
        try:
            return await self._store.claim(claim)
        except StoreUnavailable as bad:
            return self._local.decide(claim, bad)

    async def renew(self, claim: Claim, /) -> bool:
        """See ``hooklatch.types.Store``."""
        return self._local.renew(claim) if self._local.holds(claim) else await self._store.renew(claim)

    async def commit(self, claim: Claim, /) -> bool:
        """See ``hooklatch.types.Store``."""
        if self._local.holds(claim):
            return self._local.commit(claim)
        try:
            return await self._store.commit(claim)
        except StoreUnavailable:
            self._local.remember(claim)
            raise

    async def release(self, claim: Claim, /) -> None:
        """See ``hooklatch.types.Store``."""
        if self._local.holds(claim):
            self._local.release(claim)
        else:
            await self._store.release(claim)
