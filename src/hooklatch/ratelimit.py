"""A limit on refusals: who keeps sending what proves nothing gets 429 for what would cost more than a look (extra
``ratelimit``).

    app = WebhookMiddleware(app, routes=..., limit_failures=FailureLimit("20/minute"), trusted_proxies=1)

Anybody can make a sender's genuine addresses fail, by creating a webhook there that is aimed at us. So over the limit
what is cheap to judge is still judged (``verifiers.cheap``), and a delivery that is right clears its address. Counted
are the 401s of one route and one address (IPv4), or one /64 (IPv6), and nothing else that a stranger writes has a say.

A limit that cannot tell who asks, or whose storage fails, refuses nobody, and says so in the log.
"""

from __future__ import annotations

import logging
import math
import re
import time
from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from hooklatch.errors import Answer, ConfigError, RateLimited, Unauthenticated
from hooklatch.observe import escaped, say
from hooklatch.refusal_log import RefusalLog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from limits.storage import MemoryStorage, Storage
    from starlette.types import ASGIApp, Receive, Scope, Send

    from hooklatch.types import Head

__all__ = ["FailureLimit"]

Address: TypeAlias = IPv4Address | IPv6Address

MOST: Final = 100_000
"""Addresses that ``memory://`` counts at a time; further ones are not limited."""

REST: Final = 5.0
"""Seconds for which a storage that failed is left alone, so that a hung one does not slow every request down."""

SAY_EVERY: Final = 60.0
"""Seconds between two log lines about a storage that fails."""

# Not ``is_private``: that also holds for addresses that documentation uses, and says nothing about carriers' NAT.
_INSIDE: Final = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::/128",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    )
)
_PORTED: Final = re.compile(r"\[([0-9A-Fa-f:.]{2,45})\](?::[0-9]{1,5})?|([0-9.]{7,15}):[0-9]{1,5}", re.ASCII)
_LONGEST: Final = 64


class Count(NamedTuple):
    """How an address stands."""

    refusals: int
    wait: int
    """Seconds until the count begins anew, where the limit is reached; else 0."""


UNKNOWN: Final = Count(0, 0)


class FailureLimit:
    """So many refusals of unproven requests an address may cause, as in ``FailureLimit("20/minute")``.

    *limit*: a number and a span as the library ``limits`` writes them; the window begins with the first refusal.
    *storage*: ``memory://`` (each process counts for itself), or ``redis://``, ``rediss://`` or ``unix://`` as redis-py
    has them. *namespace* keeps applications on one Redis apart; a call to it takes at most *timeout* seconds.
    """

    def __init__(
        self, limit: str, *, storage: str = "memory://", namespace: str = "hooklatch", timeout: float = 0.5
    ) -> None:
        """Raise ``ConfigError`` for what is no limit or storage, never showing the URL's password."""
        try:
            import limits  # noqa: PLC0415 - only who limits needs it
        except ImportError as missing:
            msg = "limit_failures: FailureLimit needs the library limits: pip install 'hooklatch[ratelimit]'"
            raise ConfigError(msg) from missing
        try:
            (self._item,) = limits.parse_many(limit)
        except ValueError as bad:
            msg = f"FailureLimit({limit!r}): write one number and one span, as in '20/minute' or '100 per 2 hours'"
            raise ConfigError(msg) from bad
        if not self._item.amount:
            msg = f"FailureLimit({limit!r}): a limit of 0 would refuse senders that never failed"
            raise ConfigError(msg)
        if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 < timeout < math.inf:
            msg = f"FailureLimit: timeout={timeout!r} must be a finite number of seconds over 0"
            raise ConfigError(msg)
        self._namespace = namespace
        self._memory: MemoryStorage | None = None
        if storage == "memory://":
            from limits.storage import MemoryStorage  # noqa: PLC0415

            self._storage: Storage = MemoryStorage()
            self._memory = self._storage
        else:
            self._storage = _redis(storage, timeout)
        self.blocking = self._memory is None
        """Whether its verbs wait for a server."""
        self._resume = 0.0
        self._said = -math.inf
        self.log = RefusalLog(self._item.get_expiry())

    def key(self, address: str, route: str) -> str:
        """Return what *address* is counted under on *route*."""
        return self._item.key_for(self._namespace, address, route)

    def look(self, key: str) -> Count:
        """Return how *key* stands."""
        return self._guarded(partial(self._look, key)) or UNKNOWN

    def _look(self, key: str) -> Count:
        refusals = self._storage.get(key)
        if refusals < self._item.amount:
            return Count(refusals, 0)
        wait = math.ceil(self._storage.get_expiry(key) - time.time())
        return Count(refusals, min(max(1, wait), self._item.get_expiry()))

    def hit(self, key: str) -> None:
        """Count a refusal."""
        memory = self._memory
        if memory is not None and len(memory.expirations) >= MOST and key not in memory.expirations:
            self._say(f"{MOST} addresses are being counted, further ones are not limited")
            return
        self._guarded(partial(self._storage.incr, key, self._item.get_expiry()))

    def clear(self, key: str) -> None:
        """Forget what was counted."""
        self._guarded(partial(self._storage.clear, key))

    async def away(self, call: Callable[[], object]) -> None:
        """Make *call*, which uses this limit, where it does not hold the event loop up."""
        if self.blocking and time.monotonic() >= self._resume:
            from anyio import to_thread  # noqa: PLC0415 - synchronous programs never pay for it

            await to_thread.run_sync(call)
        else:
            call()

    def _guarded(self, call: Callable[[], Any]) -> Any:  # noqa: ANN401 - what the call returns
        """Return what *call* returns, None if the storage fails or has failed a moment ago."""
        if time.monotonic() < self._resume:
            return None
        try:
            return call()
        except Exception as bad:  # noqa: BLE001 - whatever is wrong with a storage, it must not cost a delivery
            self._resume = time.monotonic() + REST
            self._say(f"the storage failed ({type(bad).__name__}), meanwhile nobody is limited")
            return None

    def _say(self, text: str) -> None:
        now = time.monotonic()
        if now - self._said >= SAY_EVERY:
            self._said = now
            say(logging.ERROR, "limit_failures: %s", text)


def _redis(url: str, timeout: float) -> Storage:
    known = "memory://, redis://, rediss:// and unix://"
    scheme, separator, rest = url.partition("://") if isinstance(url, str) else ("", "", "")
    if not separator or scheme not in {"redis", "rediss", "unix"}:
        msg = f"FailureLimit: no storage is called {scheme[:20]!r}; known are {known}"
        raise ConfigError(msg)
    try:
        from redis.backoff import NoBackoff  # noqa: PLC0415
        from redis.retry import Retry  # noqa: PLC0415
    except ImportError as missing:
        msg = "FailureLimit: this storage needs the redis client: pip install 'hooklatch[ratelimit,redis]'"
        raise ConfigError(msg) from missing
    from limits.storage import RedisStorage  # noqa: PLC0415

    # Half for a new connection, half for the answer, and no second try: a slow limit is worse than none.
    options: dict[str, Any] = {
        "socket_timeout": timeout / 2,
        "socket_connect_timeout": timeout / 2,
        "retry": Retry(NoBackoff(), 0),
    }
    try:
        return RedisStorage(f"redis+unix://{rest}" if scheme == "unix" else url, **options)
    except Exception:  # noqa: BLE001 - the client's own message may show the URL
        msg = "FailureLimit: this is no Redis URL; write redis://host:6379/0, rediss://host/0 or unix:///path?db=0"
        raise ConfigError(msg) from None


class Watch:
    """One request under a limit."""

    __slots__ = ("_address", "_head", "_key", "_limit", "_refusals")

    def __init__(self, limit: FailureLimit, address: str, head: Head) -> None:
        self._limit = limit
        self._address = address
        self._key = limit.key(address, head.route)
        self._head = head
        self._refusals = 0

    def look(self) -> None:
        """Tell the head how its address stands."""
        self._refusals, self._head.limited = self._limit.look(self._key)

    async def alook(self) -> None:
        """Tell the head how its address stands."""
        await self._limit.away(self.look)

    def refused(self, answer: Answer) -> None:
        """Count *answer* if it says that the request proved nothing; log it if it says that there were too many."""
        if isinstance(answer, Unauthenticated):
            self._limit.hit(self._key)
        self._log(answer)

    async def arefused(self, answer: Answer) -> None:
        """Do what ``refused`` does."""
        if isinstance(answer, Unauthenticated):
            await self._limit.away(partial(self._limit.hit, self._key))
        self._log(answer)

    def _log(self, answer: Answer) -> None:
        if isinstance(answer, RateLimited) and answer.logged_by_limit:
            self._limit.log.note(self._address, self._head.route, self._head.method, str(answer))

    # A proven delivery holds a claim. Whoever runs the application gives it back if anything ends early, a storage that
    # is being waited for included: so the address is cleared as the application's first act.

    def clear(self) -> None:
        """Forget what was counted for the address."""
        if self._refusals:
            self._limit.clear(self._key)

    async def aclear(self) -> None:
        """Forget what was counted for the address."""
        if self._refusals:
            await self._limit.away(self.clear)

    def clearing(self, app: WSGIApplication) -> WSGIApplication:
        """Return *app*, which clears the address first."""
        if not self._refusals:
            return app

        def cleared(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            self.clear()
            return app(environ, start_response)

        return cleared

    def aclearing(self, app: ASGIApp) -> ASGIApp:
        """Return *app*, which clears the address first."""
        if not self._refusals:
            return app

        async def cleared(scope: Scope, receive: Receive, send: Send) -> None:
            await self.aclear()
            await app(scope, receive, send)

        return cleared


class Limiter:
    """What a door asks: whether a request stands under a limit, and whose it is."""

    def __init__(self, limit: FailureLimit | None, trusted_proxies: int | None) -> None:
        """Raise ``ConfigError`` for settings that are none."""
        if limit is not None and not isinstance(limit, FailureLimit):
            msg = f"limit_failures={limit!r} must be a FailureLimit, as in FailureLimit('20/minute')"
            raise ConfigError(msg)
        proxies: object = trusted_proxies
        if proxies is not None and (isinstance(proxies, bool) or not isinstance(proxies, int) or proxies < 0):
            msg = f"trusted_proxies={proxies!r} must be a number: how many proxies add to X-Forwarded-For; 0 for none"
            raise ConfigError(msg)
        self._limit = limit
        self._proxies = trusted_proxies
        self._said = False

    @property
    def limits(self) -> bool:
        """Whether there is a limit."""
        return self._limit is not None

    def watch(self, head: Head, peer: object) -> Watch | None:
        """Return the watch over a request, None where there is no limit. *peer*: whom the server is connected to."""
        limit = self._limit
        if limit is None:
            return None
        address = self._client(head, _address(peer) if isinstance(peer, str) else None)
        return None if address is None else Watch(limit, _counted(address), head)

    def _client(self, head: Head, peer: Address | None) -> Address | None:
        """Return who asks; None, which is said once, where that could be a proxy that everybody comes through."""
        if self._proxies:
            # Each proxy appends whom it is connected to. What stands further left was written by the client.
            entries = ",".join(head.headers.all("x-forwarded-for")).rsplit(",", self._proxies)
            client = _address(entries[-self._proxies]) if len(entries) >= self._proxies else None
            if client is not None:
                return client
        if self._proxies == 0 and peer is not None:
            return peer
        if peer is None or any(peer in network for network in _INSIDE):
            self._say(peer)
            return None
        return peer

    def _say(self, peer: Address | None) -> None:
        if self._said:
            return
        self._said = True
        whence = "an unknown address" if peer is None else escaped(str(peer))
        if self._proxies:
            why = f"without an address at place {self._proxies} from the right in X-Forwarded-For (trusted_proxies)"
        else:
            why = "which may be a proxy; say trusted_proxies=1 (or how many there are), or 0 if senders come from there"
        say(logging.WARNING, "limit_failures: the limit is off for requests from %s, %s", whence, why)


def _address(text: str) -> Address | None:
    """Return the address that *text* is, with or without a port; IPv4 in the clothes of IPv6 is IPv4."""
    text = text[: _LONGEST + 1].strip(" \t")
    ported = _PORTED.fullmatch(text)
    if ported is not None:
        text = ported[1] or ported[2]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _counted(address: Address) -> str:
    """Return what is counted together: an IPv4 address, or the /64 that one IPv6 customer has at least."""
    if isinstance(address, IPv4Address):
        return str(address)
    return f"{IPv6Address(int(address) >> 64 << 64)}/64"
