"""The duplicate memory of many hosts: Redis, Valkey, or whatever speaks their protocol (extra ``redis``).

One hash a delivery, four scripts that run whole or not at all, the server's own clock. All keys of a namespace carry
one hash tag, so that a claim of several keys stays in one slot of a cluster; give each application a namespace.

What the server forgets, hooklatch forgets: let it not evict (``maxmemory-policy noeviction``), and know that a failover
can lose the last writes, because replication is asynchronous.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
import time
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from anyio import CancelScope

from hooklatch.errors import ConfigError, StoreUnavailable
from hooklatch.stores.faces import Record, Threaded
from hooklatch.stores.redis_verbs import CLAIM, COMMIT, FIRST, RELEASE, RENEW
from hooklatch.types import GRANTED, Claim, Standing, State

try:
    import redis
    import redis.asyncio
    import redis.asyncio.retry
    import redis.retry
    from redis.backoff import NoBackoff

    from hooklatch.stores.redis_lines import AsyncBorrowed, AsyncLines, Borrowed, Lines
except ImportError as missing:
    raise ConfigError("store: RedisStore needs the redis client: pip install 'hooklatch[redis]'") from missing  # noqa: EM101, TRY003

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hooklatch.stores.redis_verbs import Verb

logger: Final = logging.getLogger("hooklatch")

FAILURES: Final = (redis.RedisError, OSError)
"""What a client raises; a timeout is an OSError."""

_AWAITED_ONLY: Final = "this RedisStore has an asynchronous client only"


class RedisStore:
    """Remembers deliveries in Redis, for all processes of all hosts.

    *client*: a ``redis`` client of yours, plain or asynchronous, also of a cluster or from Sentinel; or *url*, from
    which clients are made whose every call takes at most *timeout* seconds. *namespace* keeps applications apart. The
    timeouts of a client of yours are yours to set: without ``socket_timeout`` a hanging server holds a WSGI thread.
    """

    def __init__(
        self,
        client: Any = None,  # noqa: ANN401 - any client that speaks the protocol
        *,
        url: str = "",
        namespace: str = "hooklatch",
        timeout: float = 0.5,
    ) -> None:
        """Raise ``ConfigError`` for a URL that redis-py cannot use; the server itself may come up later."""
        if (client is None) == (not url):
            msg = "RedisStore: give a client, or a url"
            raise ConfigError(msg)
        if not namespace or set(namespace) & set("{}"):
            msg = f"RedisStore: namespace={namespace!r} must be a name without braces"
            raise ConfigError(msg)
        self._prefix = f"{{{namespace}}}:"
        self._timeout = timeout
        self._checked = False
        asynchronous = client is not None and _is_async(client)
        self.awaited_only = asynchronous
        self._client = None if asynchronous else client if client is not None else _from_url(redis.Redis, url, timeout)
        self._aclient = client if asynchronous else None
        self._lines: Lines | Borrowed | None = None
        if self._client is not None:
            self._lines = Lines(self._client, timeout) if url else Borrowed(self._client, timeout)
        self._url = url
        self.namespace = namespace
        self.aio = _Async(self)

    def __repr__(self) -> str:
        """Return the namespace; never the URL, which may hold a password."""
        return f"<RedisStore {self.namespace!r}>"

    def claim(self, claim: Claim, /) -> Standing:
        """See ``hooklatch.types.Store``."""
        if len(claim.keys) == 1 and self._run(FIRST, claim):
            return GRANTED
        return standing(self._run(CLAIM, claim))

    def renew(self, claim: Claim, /) -> bool:
        """See ``hooklatch.types.Store``."""
        return bool(self._run(RENEW, claim))

    def commit(self, claim: Claim, /) -> bool:
        """See ``hooklatch.types.Store``."""
        return bool(self._run(COMMIT, claim))

    def release(self, claim: Claim, /) -> None:
        """See ``hooklatch.types.Store``."""
        self._run(RELEASE, claim)

    def inspect(self) -> Iterator[Record]:
        """Yield what is remembered, for operators; the keys are hashes."""
        client = self._plain()
        with _guarded():
            for key in client.scan_iter(match=self._prefix + "*", count=1000):
                known, left = client.get(key), client.pttl(key)
                if known is not None:
                    yield _record(_text(key).removeprefix(self._prefix), _text(known), left)

    def forget(self, key: bytes) -> bool:
        """Forget the delivery called *key* (as ``inspect`` shows it); return whether it was known."""
        with _guarded():
            return bool(self._plain().delete(self._prefix + key.hex()))

    def close(self) -> None:
        """Close the connections of the plain client that was made from a URL."""
        if self._lines is not None:
            self._lines.close()

    def _plain(self) -> Any:  # noqa: ANN401 - any client that speaks the protocol
        if self._client is None:
            raise StoreUnavailable(_AWAITED_ONLY)
        return self._client

    def _run(self, verb: Verb, claim: Claim) -> Any:  # noqa: ANN401 - as the script answers
        words = verb.words(*self.arguments(claim))
        lines = self._lines
        if lines is None:
            raise StoreUnavailable(_AWAITED_ONLY)
        try:
            try:
                answer = lines.ask(*words)
            except redis.exceptions.NoScriptError:
                answer = lines.ask(*verb.taught(words))
            if not self._checked:
                self._checked = True
                # Managed servers forbid the question; then nobody can be warned.
                with contextlib.suppress(redis.RedisError):
                    self.warn_of_eviction(lines.config())
        except FAILURES as bad:
            raise unavailable(bad) from bad
        return answer

    def arguments(self, claim: Claim) -> tuple[list[str], str, str]:
        """Return the keys, the text and the life time (ms) that every verb sends."""
        lease, ttl = max(1, round(claim.lease * 1000)), max(1, round(claim.ttl * 1000))
        text = f"L{claim.token.hex()}{claim.fingerprint[:16].hex()}:{lease}:{ttl}:{int(time.time() * 1000)}"
        return [self._prefix + key.hex() for key in claim.keys], text, str(ttl)

    def warn_of_eviction(self, answer: object) -> None:
        """Say so if the server, by its *answer* to CONFIG GET, may throw deliveries away to make room."""
        config = _texts(answer)
        if config.get("maxmemory", "0") != "0" and config.get("maxmemory-policy", "noeviction") != "noeviction":
            logger.warning(
                "store: the Redis server evicts keys (maxmemory-policy %s): a forgotten delivery can run again; "
                "set maxmemory-policy noeviction",
                config["maxmemory-policy"],
            )


class _Async:
    """The asynchronous face: redis-py's own on asyncio, threads on trio."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store
        self._threaded = Threaded(store)
        self._loops: WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncLines] = WeakKeyDictionary()
        own = store._aclient  # noqa: SLF001 - two faces of one store
        self._own = None if own is None else AsyncBorrowed(own, store._timeout)  # noqa: SLF001

    def _lines(self) -> AsyncLines | AsyncBorrowed | None:
        """Return how this event loop asks, None where only the plain client can be used."""
        if self._own is not None:
            return self._own
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return None
        lines = self._loops.get(loop)
        url, timeout = self._store._url, self._store._timeout  # noqa: SLF001 - two faces of one store
        if lines is None and url:
            lines = self._loops[loop] = AsyncLines(_from_url(redis.asyncio.Redis, url, timeout), timeout)
        return lines

    async def claim(self, claim: Claim, /) -> Standing:
        lines = self._lines()
        if lines is None:
            return await self._threaded.claim(claim)
        if len(claim.keys) == 1 and await self._run(lines, FIRST, claim):
            return GRANTED
        return standing(await self._run(lines, CLAIM, claim))

    async def renew(self, claim: Claim, /) -> bool:
        lines = self._lines()
        return bool(await self._run(lines, RENEW, claim)) if lines else await self._threaded.renew(claim)

    async def commit(self, claim: Claim, /) -> bool:
        lines = self._lines()
        if lines is None:
            return await self._threaded.commit(claim)
        return bool(await self._settled(lines, COMMIT, claim))

    async def release(self, claim: Claim, /) -> None:
        lines = self._lines()
        if lines is None:
            await self._threaded.release(claim)
        else:
            await self._settled(lines, RELEASE, claim)

    async def _settled(self, lines: AsyncLines | AsyncBorrowed, verb: Verb, claim: Claim) -> Any:  # noqa: ANN401
        """Run *verb* even if the request is cancelled."""
        with CancelScope(shield=True):
            answer = await self._run(lines, verb, claim)
        return answer  # noqa: RET504 - mypy cannot see that the scope does not swallow

    async def _run(self, lines: AsyncLines | AsyncBorrowed, verb: Verb, claim: Claim) -> Any:  # noqa: ANN401
        store = self._store
        words = verb.words(*store.arguments(claim))
        try:
            try:
                answer = await lines.ask(*words)
            except redis.exceptions.NoScriptError:
                answer = await lines.ask(*verb.taught(words))
            if not store._checked:  # noqa: SLF001 - two faces of one store
                store._checked = True  # noqa: SLF001
                with contextlib.suppress(redis.RedisError):
                    store.warn_of_eviction(await lines.config())
        except FAILURES as bad:
            raise unavailable(bad) from bad
        return answer

    async def aclose(self) -> None:
        """Close the connections of this event loop."""
        lines = self._loops.pop(asyncio.get_running_loop(), None)
        if lines is not None:
            await lines.close()


def standing(answer: Sequence[bytes | str]) -> Standing:
    """Return what the script answered."""
    state, since = (part.decode() if isinstance(part, bytes) else part for part in answer)
    return GRANTED if state == "granted" else Standing(State(state), int(since) / 1000)


def unavailable(bad: Exception) -> StoreUnavailable:
    """Return what to raise for a failure of the server, or of the way to it."""
    # The client's own message may quote the address; the kind of failure is all that an answer needs.
    return StoreUnavailable(f"Redis: {type(bad).__name__}")


@contextlib.contextmanager
def _guarded() -> Iterator[None]:
    try:
        yield
    except FAILURES as bad:
        raise unavailable(bad) from bad


def _from_url(kind: Any, url: str, timeout: float) -> Any:  # noqa: ANN401 - redis-py has two classes of one shape
    try:
        client = kind.from_url(
            url,
            # ``AsyncLines`` bounds each question as a whole, for which asyncio would start a task each time.
            socket_timeout=None if kind is redis.asyncio.Redis else timeout / 2,
            socket_connect_timeout=timeout / 2,
            retry=(redis.asyncio.retry.Retry if kind is redis.asyncio.Redis else redis.retry.Retry)(NoBackoff(), 0),
            health_check_interval=0,
        )
        # Options of the URL are looked at only when a connection is made; this makes one without connecting it.
        client.connection_pool.connection_class(**client.connection_pool.connection_kwargs)
    except (ValueError, TypeError, redis.RedisError):
        msg = "store: this is no Redis URL; write redis://host:6379/0, rediss://host/0 or unix:///path?db=0"
        raise ConfigError(msg) from None
    return client


def _texts(given: object) -> dict[str, str]:
    """Return what CONFIG GET says: a mapping, or names and values in turn."""
    if isinstance(given, list):
        given = dict(zip(given[::2], given[1::2], strict=False))
    return {_text(name): _text(value) for name, value in given.items()} if isinstance(given, dict) else {}


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _record(name: str, known: str, left: int) -> Record:
    """Return what is *known* under *name*, *left* (ms) before it is forgotten."""
    lease, ttl, first_seen = (int(part) / 1000 for part in known[66:].split(":"))
    leased_until = time.time() + lease - (ttl - left / 1000) if known.startswith("L") else 0.0
    return Record(bytes.fromhex(name), known.startswith("D"), first_seen, leased_until)


def _is_async(client: object) -> bool:
    return inspect.iscoroutinefunction(getattr(client, "execute_command", None))
