"""The duplicate memory of many hosts: Redis, Valkey, or whatever speaks their protocol (extra ``redis``).

One hash a delivery, four scripts that run whole or not at all, the server's own clock. All keys of a namespace carry
one hash tag, so that a claim of several keys stays in one slot of a cluster; give each application a namespace.

What the server forgets, hooklatch forgets: let it not evict (``maxmemory-policy noeviction``), and know that a failover
can lose the last writes, because replication is asynchronous.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import inspect
import logging
import time
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

import anyio

from hooklatch.errors import ConfigError, StoreUnavailable
from hooklatch.stores.faces import Record, Threaded
from hooklatch.types import GRANTED, Claim, Standing, State

try:
    import redis
    import redis.asyncio
    import redis.asyncio.retry
    import redis.retry
    from redis.backoff import NoBackoff
except ImportError as missing:
    raise ConfigError("store: RedisStore needs the redis client: pip install 'hooklatch[redis]'") from missing  # noqa: EM101, TRY003

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

logger: Final = logging.getLogger("hooklatch")

# One text a delivery, of fixed columns: state (L live, R released, D done), token (32 hex), fingerprint (32 hex), then
# :lease:ttl:first seen (ms). The key lives as long as the ttl, so its age is the ttl less what is left of it, and the
# server's own clock decides whether a lease has lapsed.
_READ: Final = """
local function lapsed(key, known)
  local lease, ttl = string.match(known, ':(%d+):(%d+):', 66)
  return tonumber(ttl) - redis.call('PTTL', key) >= tonumber(lease)
end
"""
_CLAIM: Final = (
    _READ
    + """
local wish, ttl = ARGV[1], ARGV[2]
local token, fingerprint = string.sub(wish, 2, 33), string.sub(wish, 34, 65)
local done, flying, since = false, false, false
for _, key in ipairs(KEYS) do
  local known = redis.call('GET', key)
  if known then
    since = string.match(known, ':(%d+)$')
    if string.sub(known, 34, 65) ~= fingerprint then return {'altered', since} end
    local state = string.sub(known, 1, 1)
    if state == 'D' then done = since
    elseif state == 'L' and string.sub(known, 2, 33) ~= token and not lapsed(key, known) then flying = since end
  end
end
if done then return {'done', done} end
if flying then return {'in_flight', flying} end
if since then wish = string.gsub(wish, ':%d+$', ':' .. since) end
for _, key in ipairs(KEYS) do redis.call('SET', key, wish, 'PX', ttl) end
return {'granted', ''}
"""
)
_RENEW: Final = """
local token = string.sub(ARGV[1], 1, 33)
for _, key in ipairs(KEYS) do
  local known = redis.call('GET', key)
  if not known or string.sub(known, 1, 33) ~= token then return 0 end
end
for _, key in ipairs(KEYS) do redis.call('SET', key, redis.call('GET', key), 'PX', ARGV[2]) end
return 1
"""
_COMMIT: Final = (
    _READ
    + """
local wish = 'D' .. string.sub(ARGV[1], 2)
local token, since = string.sub(wish, 2, 33), false
for _, key in ipairs(KEYS) do
  local known = redis.call('GET', key)
  if known then
    since = string.match(known, ':(%d+)$')
    if string.sub(known, 2, 33) ~= token then
      local state = string.sub(known, 1, 1)
      if state == 'D' or (state == 'L' and not lapsed(key, known)) then return 0 end
    end
  end
end
if since then wish = string.gsub(wish, ':%d+$', ':' .. since) end
for _, key in ipairs(KEYS) do redis.call('SET', key, wish, 'PX', ARGV[2]) end
return 1
"""
)
_RELEASE: Final = """
local token = string.sub(ARGV[1], 1, 33)
for _, key in ipairs(KEYS) do
  local known = redis.call('GET', key)
  if known and string.sub(known, 1, 33) == token then
    local left = redis.call('PTTL', key)
    redis.call('SET', key, 'R' .. string.rep('0', 32) .. string.sub(known, 34), 'PX', left > 0 and left or 1)
  end
end
return 1
"""


class _Script:
    """One verb: what is sent, for both worlds."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.digest = hashlib.sha1(text.encode("ascii"), usedforsecurity=False).hexdigest()

    def call(self, client: Any, keys: list[str], wish: str, ttl: int) -> Any:  # noqa: ANN401 - as the script answers
        try:
            return client.evalsha(self.digest, len(keys), *keys, wish, ttl)
        except redis.exceptions.NoScriptError:
            return client.eval(self.text, len(keys), *keys, wish, ttl)

    async def acall(self, client: Any, keys: list[str], wish: str, ttl: int) -> Any:  # noqa: ANN401
        try:
            return await client.evalsha(self.digest, len(keys), *keys, wish, ttl)
        except redis.exceptions.NoScriptError:
            return await client.eval(self.text, len(keys), *keys, wish, ttl)


class _First:
    """The claim of a delivery that nobody has seen: one plain command, and by far the most frequent."""

    def call(self, client: Any, keys: list[str], wish: str, ttl: int) -> Any:  # noqa: ANN401
        return client.set(keys[0], wish, nx=True, px=ttl)

    async def acall(self, client: Any, keys: list[str], wish: str, ttl: int) -> Any:  # noqa: ANN401
        return await client.set(keys[0], wish, nx=True, px=ttl)


FIRST: Final = _First()
CLAIM: Final = _Script(_CLAIM)
RENEW: Final = _Script(_RENEW)
COMMIT: Final = _Script(_COMMIT)
RELEASE: Final = _Script(_RELEASE)


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
        if self._client is not None and self._url:
            self._client.close()

    def _plain(self) -> Any:  # noqa: ANN401 - any client that speaks the protocol
        if self._client is None:
            msg = "this RedisStore has an asynchronous client only"
            raise StoreUnavailable(msg)
        return self._client

    def _run(self, verb: _Script | _First, claim: Claim) -> Any:  # noqa: ANN401 - as the script answers
        client = self._plain()
        arguments = self.arguments(claim)
        started = time.monotonic()
        with _guarded():
            try:
                answer = verb.call(client, *arguments)
            except redis.ConnectionError:
                # A pooled connection may have died with the server it led to; asking twice under one token is safe.
                if time.monotonic() - started > self._timeout / 2:
                    raise
                answer = verb.call(client, *arguments)
            if not self._checked:
                self._checked = True
                self.warn_of_eviction(_config(client))
        return answer

    def arguments(self, claim: Claim) -> tuple[list[str], str, int]:
        """Return the keys, the text and the life time (ms) that every verb sends."""
        lease, ttl = max(1, round(claim.lease * 1000)), max(1, round(claim.ttl * 1000))
        text = f"L{claim.token.hex()}{claim.fingerprint[:16].hex()}:{lease}:{ttl}:{int(time.time() * 1000)}"
        return [self._prefix + key.hex() for key in claim.keys], text, ttl

    def warn_of_eviction(self, config: dict[str, str]) -> None:
        """Say so if the server may throw deliveries away to make room."""
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
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, Any] = WeakKeyDictionary()

    def _client(self) -> Any:  # noqa: ANN401 - any client that speaks the protocol
        """Return a client of this event loop, None where only the plain one can be used."""
        store = self._store
        if store._aclient is not None:  # noqa: SLF001 - two faces of one store
            return store._aclient  # noqa: SLF001
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return None
        if not store._url:  # noqa: SLF001
            return None
        client = self._clients.get(loop)
        if client is None:
            client = self._clients[loop] = _from_url(redis.asyncio.Redis, store._url, store._timeout)  # noqa: SLF001
        return client

    async def claim(self, claim: Claim, /) -> Standing:
        client = self._client()
        if client is None:
            return await self._threaded.claim(claim)
        if len(claim.keys) == 1 and await self._run(client, FIRST, claim):
            return GRANTED
        return standing(await self._run(client, CLAIM, claim))

    async def renew(self, claim: Claim, /) -> bool:
        client = self._client()
        return bool(await self._run(client, RENEW, claim)) if client else await self._threaded.renew(claim)

    async def commit(self, claim: Claim, /) -> bool:
        client = self._client()
        if client is None:
            return await self._threaded.commit(claim)
        return bool(await self._run(client, COMMIT, claim, shield=True))

    async def release(self, claim: Claim, /) -> None:
        client = self._client()
        if client is None:
            await self._threaded.release(claim)
        else:
            await self._run(client, RELEASE, claim, shield=True)

    async def _run(self, client: Any, verb: _Script | _First, claim: Claim, *, shield: bool = False) -> Any:  # noqa: ANN401
        store = self._store
        arguments = store.arguments(claim)
        with _guarded(), anyio.fail_after(store._timeout, shield=shield):  # noqa: SLF001 - two faces of one store
            try:
                answer = await verb.acall(client, *arguments)
            except redis.ConnectionError:
                answer = await verb.acall(client, *arguments)
            if not store._checked:  # noqa: SLF001
                store._checked = True  # noqa: SLF001
                with contextlib.suppress(redis.RedisError):
                    store.warn_of_eviction(_texts(await client.config_get("maxmemory*")))
        return answer

    async def aclose(self) -> None:
        """Close the client of this event loop."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()


def standing(answer: Sequence[bytes | str]) -> Standing:
    """Return what the script answered."""
    state, since = (part.decode() if isinstance(part, bytes) else part for part in answer)
    return GRANTED if state == "granted" else Standing(State(state), int(since) / 1000)


@contextlib.contextmanager
def _guarded() -> Iterator[None]:
    try:
        yield
    except (redis.RedisError, OSError, TimeoutError) as bad:
        # The client's own message may quote the address; the kind of failure is all that an answer needs.
        msg = f"Redis: {type(bad).__name__}"
        raise StoreUnavailable(msg) from bad


def _from_url(kind: Any, url: str, timeout: float) -> Any:  # noqa: ANN401 - redis-py has two classes of one shape
    try:
        client = kind.from_url(
            url,
            socket_timeout=timeout / 2,
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


def _config(client: Any) -> dict[str, str]:  # noqa: ANN401 - any client that speaks the protocol
    # Managed servers forbid the question; then nobody can be warned.
    with contextlib.suppress(redis.RedisError):
        return _texts(client.config_get("maxmemory*"))
    return {}


def _texts(given: object) -> dict[str, str]:
    if not isinstance(given, dict):
        return {}
    return {_text(name): _text(value) for name, value in given.items()}


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _record(name: str, known: str, left: int) -> Record:
    """Return what is *known* under *name*, *left* (ms) before it is forgotten."""
    lease, ttl, first_seen = (int(part) / 1000 for part in known[66:].split(":"))
    leased_until = time.time() + lease - (ttl - left / 1000) if known.startswith("L") else 0.0
    return Record(bytes.fromhex(name), known.startswith("D"), first_seen, leased_until)


def _is_async(client: object) -> bool:
    return inspect.iscoroutinefunction(getattr(client, "execute_command", None))
