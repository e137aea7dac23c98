"""How a store with plain methods is used on an event loop: inline if it answers at once, else in a thread."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from hooklatch.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from anyio.lowlevel import RunVar

    from hooklatch.types import Claim, Standing, Store

Returned = TypeVar("Returned")


class Record(NamedTuple):
    """What a store remembers of one delivery, as operators see it."""

    key: bytes
    """What the delivery is called: a hash."""
    done: bool
    first_seen: float
    """Unix seconds."""
    leased_until: float
    """Unix seconds; 0 where nobody holds it."""


class Inline:
    """The asynchronous face of a store that answers at once."""

    def __init__(self, store: Store) -> None:
        """*store*: never waits."""
        self._store = store

    async def claim(self, claim: Claim, /) -> Standing:
        """See ``Store``."""
        return self._store.claim(claim)

    async def renew(self, claim: Claim, /) -> bool:
        """See ``Store``."""
        return self._store.renew(claim)

    async def commit(self, claim: Claim, /) -> bool:
        """See ``Store``."""
        return self._store.commit(claim)

    async def release(self, claim: Claim, /) -> None:
        """See ``Store``."""
        self._store.release(claim)


class Threaded:
    """The asynchronous face of a store that waits: each verb in a thread; settling is shielded from cancellation."""

    def __init__(self, store: Store) -> None:
        """*store*: bounds its own waiting."""
        self._store = store

    async def claim(self, claim: Claim, /) -> Standing:
        """See ``Store``."""
        return await _in_thread(self._store.claim, claim)

    async def renew(self, claim: Claim, /) -> bool:
        """See ``Store``."""
        return await _in_thread(self._store.renew, claim)

    async def commit(self, claim: Claim, /) -> bool:
        """See ``Store``."""
        return await _shielded(self._store.commit, claim)

    async def release(self, claim: Claim, /) -> None:
        """See ``Store``."""
        await _shielded(self._store.release, claim)


THREADS: Final = 200
"""Threads of one event loop that may wait for stores; they are not taken from the application's."""

PATIENCE: Final = 0.5
"""Seconds a verb waits for such a thread."""


async def _in_thread(verb: Callable[[Claim], Returned], claim: Claim) -> Returned:
    from anyio import move_on_after, to_thread  # noqa: PLC0415 - synchronous programs never pay for it

    limits = _limits()
    borrower = object()
    with move_on_after(PATIENCE) as waiting:
        await limits.slots.acquire_on_behalf_of(borrower)
    if waiting.cancelled_caught:
        msg = f"{THREADS} threads are waiting for the store already"
        raise StoreUnavailable(msg)
    try:
        return await to_thread.run_sync(verb, claim, limiter=limits.unbounded)
    finally:
        limits.slots.release_on_behalf_of(borrower)


class _Limits:
    """How many threads one event loop lets wait for stores."""

    def __init__(self) -> None:
        from anyio import CapacityLimiter  # noqa: PLC0415 - synchronous programs never pay for it

        self.slots = CapacityLimiter(THREADS)
        self.unbounded = CapacityLimiter(math.inf)


def _limits() -> _Limits:
    """Return the limits of the running event loop."""
    from anyio.lowlevel import RunVar  # noqa: PLC0415 - synchronous programs never pay for it

    held: RunVar[_Limits] = _run_var(RunVar)
    try:
        return held.get()
    except LookupError:
        limits = _Limits()
        held.set(limits)
        return limits


@cache
def _run_var(kind: type[RunVar[_Limits]]) -> RunVar[_Limits]:
    return kind("hooklatch-store-threads")


async def _shielded(verb: Callable[[Claim], Returned], claim: Claim) -> Returned:
    from anyio import CancelScope  # noqa: PLC0415 - synchronous programs never pay for it

    # In a cancelled scope a thread would never be started.
    scope = CancelScope(shield=True)
    with scope:
        settled = await _in_thread(verb, claim)
    return settled  # noqa: RET504 - mypy cannot see that the scope does not swallow
