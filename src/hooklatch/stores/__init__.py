"""Stores: the duplicate memory, chosen by a constructor or by a URL.

A store has the four verbs of ``hooklatch.types.Store``. On an event loop a store that answers at once is called
inline (``blocking = False``), one that waits is called in a thread, and one with an asynchronous face of its own
(``aio``) is awaited.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, TypeAlias, TypeVar, cast

from hooklatch.errors import ConfigError
from hooklatch.stores.memory import MemoryStore
from hooklatch.types import GRANTED, AsyncStore, Claim, Standing, Store

if TYPE_CHECKING:
    from collections.abc import Callable

AnyStore: TypeAlias = Store | AsyncStore

Returned = TypeVar("Returned")

__all__ = ["MemoryStore", "Unremembering", "as_async", "as_store", "open_store"]


def open_store(url: str) -> Store:
    """Return the store that *url* names: ``memory://``; raise ``ConfigError`` for an unknown scheme."""
    scheme, separator, _ = url.partition("://")
    if separator and scheme == "memory":
        return MemoryStore()
    msg = f"store: no store is called {scheme!r}; known is memory://"
    raise ConfigError(msg)


def as_store(given: AnyStore | str) -> Store:
    """Return the synchronous face of a store or a store's URL; raise ``ConfigError``."""
    store = open_store(given) if isinstance(given, str) else given
    _demand_verbs(store)
    if inspect.iscoroutinefunction(store.claim):
        msg = f"store: {type(store).__name__} can only be awaited; WSGI needs a store with plain methods"
        raise ConfigError(msg)
    return cast("Store", store)


def as_async(given: AnyStore | str) -> AsyncStore:
    """Return the asynchronous face of a store or a store's URL; raise ``ConfigError``."""
    store = open_store(given) if isinstance(given, str) else given
    _demand_verbs(store)
    if inspect.iscoroutinefunction(store.claim):
        return cast("AsyncStore", store)
    own = getattr(store, "aio", None)
    if own is not None:
        return cast("AsyncStore", own)
    plain = cast("Store", store)
    return Threaded(plain) if getattr(store, "blocking", True) else Inline(plain)


def _demand_verbs(store: object) -> None:
    missing = [verb for verb in ("claim", "renew", "commit", "release") if not callable(getattr(store, verb, None))]
    if missing:
        msg = f"store: {type(store).__name__} is no store, it lacks {', '.join(missing)}; give a store or its URL"
        raise ConfigError(msg)


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


async def _in_thread(verb: Callable[[Claim], Returned], claim: Claim) -> Returned:
    from anyio import to_thread  # noqa: PLC0415 - synchronous programs never pay for it

    return await to_thread.run_sync(verb, claim)


async def _shielded(verb: Callable[[Claim], Returned], claim: Claim) -> Returned:
    from anyio import CancelScope  # noqa: PLC0415 - synchronous programs never pay for it

    # In a cancelled scope a thread would never be started.
    scope = CancelScope(shield=True)
    with scope:
        settled = await _in_thread(verb, claim)
    return settled  # noqa: RET504 - mypy cannot see that the scope does not swallow


class Unremembering:
    """A store that grants everything and forgets it, for judging without memory."""

    blocking = False

    def claim(self, claim: Claim, /) -> Standing:  # noqa: ARG002 - remembers nothing
        """Grant."""
        return GRANTED

    def renew(self, claim: Claim, /) -> bool:  # noqa: ARG002 - remembers nothing
        """Agree."""
        return True

    def commit(self, claim: Claim, /) -> bool:  # noqa: ARG002 - remembers nothing
        """Agree."""
        return True

    def release(self, claim: Claim, /) -> None:
        """Do nothing."""
