"""Stores: the duplicate memory, chosen by a constructor or by a URL.

A store has the four verbs of ``hooklatch.types.Store``. On an event loop a store that answers at once is called
inline (``blocking = False``), one that waits is called in a thread, and one with an asynchronous face of its own
(``aio``) is awaited.
"""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import TYPE_CHECKING, TypeAlias, cast
from urllib.parse import unquote, urlsplit

from hooklatch.errors import ConfigError
from hooklatch.stores.faces import Inline, Threaded
from hooklatch.stores.memory import MemoryStore
from hooklatch.types import GRANTED, AsyncStore, Claim, Standing, Store

if TYPE_CHECKING:
    from hooklatch.stores.postgres import PostgresStore
    from hooklatch.stores.redis import RedisStore
    from hooklatch.stores.sqlite import SQLiteStore

AnyStore: TypeAlias = Store | AsyncStore

__all__ = [
    "MemoryStore",
    "PostgresStore",
    "RedisStore",
    "SQLiteStore",
    "Unremembering",
    "as_async",
    "as_store",
    "open_store",
]

SCHEMES = ("memory", "sqlite", "redis", "rediss", "unix", "postgresql", "postgres")
"""What a store's URL begins with."""

_LAZY = {"PostgresStore": "postgres", "RedisStore": "redis", "SQLiteStore": "sqlite"}


def __getattr__(name: str) -> object:
    """Import a store's client only where the store is named."""
    if name not in _LAZY:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)


def open_store(url: str) -> Store:
    """Return the store that *url* names; raise ``ConfigError`` that never shows the URL's password.

    ``memory://``; ``sqlite:///relative/path``, ``sqlite:////absolute/path``; ``redis://``, ``rediss://`` and
    ``unix://`` as redis-py has them; ``postgresql://`` as libpq has it.
    """
    scheme, separator, rest = url.partition("://")
    if separator and scheme == "memory" and not rest:
        return MemoryStore()
    if separator and scheme == "sqlite":
        from hooklatch.stores.sqlite import SQLiteStore  # noqa: PLC0415

        path = unquote(urlsplit(url).path)[1:]
        if not path or urlsplit(url).netloc:
            msg = "store: write sqlite:///relative/path or sqlite:////absolute/path"
            raise ConfigError(msg)
        return SQLiteStore(path)
    if separator and scheme in {"redis", "rediss", "unix"}:
        from hooklatch.stores.redis import RedisStore  # noqa: PLC0415

        return RedisStore(url=url)
    if separator and scheme in {"postgresql", "postgres"}:
        from hooklatch.stores.postgres import PostgresStore  # noqa: PLC0415

        return PostgresStore(url)
    known = ", ".join(f"{known}://" for known in SCHEMES)
    # Nothing of what was given is shown: it may be a password in the wrong place.
    msg = f"store: this is no store's URL; known are {known}"
    raise ConfigError(msg)


def as_store(given: AnyStore | str) -> Store:
    """Return the synchronous face of a store or a store's URL; raise ``ConfigError``."""
    store = open_store(given) if isinstance(given, str) else given
    _demand_verbs(store)
    if inspect.iscoroutinefunction(store.claim) or getattr(store, "awaited_only", False):
        msg = f"store: this {type(store).__name__} can only be awaited; WSGI needs one with plain methods"
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
