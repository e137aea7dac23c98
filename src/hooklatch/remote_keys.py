"""Public keys that the sender publishes, found for each request by what it says: a key id, a certificate's address.

What a stranger says may choose among trusted keys, and may cause few fetches: one at a time for an address, none for a
minute after one that failed or that did not bring the key, and ``BUDGET`` a minute in all. What was fetched counts for
an hour, and for a day while it cannot be had again.
"""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, cast

from hooklatch.errors import Answer, CertUrlUntrusted, SecretUnavailable, SignatureMalformed, SignatureMismatch
from hooklatch.fields import Header, Query
from hooklatch.types import ActiveKey, Fetch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hooklatch.fields import BodyField, HeadField
    from hooklatch.types import Facts, Key, Keyring

FRESH: Final = 3600.0
"""Seconds for which fetched keys count without asking again."""

STALE: Final = 86_400.0
"""Seconds for which they count while they cannot be fetched again."""

COOL_DOWN: Final = 60.0
"""Seconds in which an address is not asked a second time for what it did not have."""

BUDGET: Final = 10
"""Fetches that one route makes in ``COOL_DOWN``, whatever the addresses and key ids."""

ADDRESSES: Final = 64
"""Addresses of which the keys are kept."""

WAIT: Final = 5.0
"""Seconds that a request waits for keys."""

MAX_NAME: Final = 512
"""Longest address or key id (characters)."""

_NAME: Final = re.compile(r"[\x21-\x7e]+")

KeySource: TypeAlias = Callable[[str], Mapping[str, "Key"]]
"""Returns the keys at an address by their ids, ``#0`` ... for those without one, or raises any exception."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """Where a sender publishes its public keys: under one *url*, or where each request says."""

    url: str = ""
    named_by: HeadField | BodyField | None = None
    """Where a request names the address."""
    allowed: str = ""
    """Regular expression that an address named by a request must match as a whole; it pins scheme, host and path."""
    form: Literal["jwks", "pem"] = "pem"
    """A JSON Web Key Set; or one key or certificate in PEM."""
    within: tuple[str, ...] = ()
    """The steps to the PEM in a JSON document."""


class _Shelf:
    """What is known of one address."""

    __slots__ = ("keys", "since", "tried", "turn")

    def __init__(self) -> None:
        self.keys: Mapping[str, Key] = {}
        self.since = self.tried = float("-inf")
        self.turn = threading.Lock()

    def pick(self, key_id: str) -> tuple[Key, ...]:
        """Return the keys that may be meant by *key_id*: the one of that name, all where names say nothing."""
        if key_id in self.keys:
            return (self.keys[key_id],)
        if not key_id or not any(map(_named, self.keys)):
            return tuple(self.keys.values())
        return ()


class Remote:
    """The keys of one route, as far as they were needed yet."""

    def __init__(
        self,
        source: KeySource,
        *,
        url: str = "",
        named_by: HeadField | BodyField | None = None,
        allowed: str = "",
        key_id: HeadField | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """*source*: see there; it is asked for *url*, for the address in *named_by* if *allowed* matches it, or where
        there is neither, for the key id itself; *key_id*: where a request names its key, if no scheme reads that.
        """
        self._source = source
        self._url = url
        self._named_by = named_by
        self._allowed = re.compile(allowed)
        self._key_id = key_id
        self._clock = clock
        self._shelves: OrderedDict[str, _Shelf] = OrderedDict()
        self._fetches: deque[float] = deque(maxlen=BUDGET)
        self._lock = threading.Lock()
        self.early = named_by is None or isinstance(named_by, Header | Query)
        """Whether the head says which key it is, so that hashing can begin with the body's first bytes."""

    def known(self, facts: Facts) -> Keyring | None:
        """Return the keys for this request if they are at hand, None where they are to be fetched.

        Raises ``CertUrlUntrusted``, ``SignatureMismatch`` where there is no such key, or ``SecretUnavailable``.
        """
        address, key_id = self._place(facts)
        now = self._clock()
        with self._lock:
            shelf = self._shelves.get(address, _UNKNOWN)
            keys = shelf.pick(key_id)
            if keys and now - shelf.since < FRESH:
                self._shelves.move_to_end(address)
                return FoundRing(keys)
            cooling = now - shelf.tried < COOL_DOWN
            if not cooling and (len(self._fetches) < BUDGET or now - self._fetches[0] >= COOL_DOWN):
                return None
            if keys and now - shelf.since < STALE:
                return FoundRing(keys)
            if cooling and now - shelf.since < FRESH:
                return self._ring(keys)
        msg = "the sender's keys could not be fetched a moment ago, or too many unknown ones were asked for"
        raise SecretUnavailable(msg)

    def wish(self, facts: Facts) -> Fetch:
        """Return the wish to fetch them."""
        return Fetch(partial(self._fetch, self._place(facts)[0]), WAIT)

    def ring(self, facts: Facts, found: object) -> Keyring:
        """Return the keys for this request out of what was *found*; raise ``SignatureMismatch`` if it is not there."""
        return self._ring(cast("_Shelf", found).pick(self._place(facts)[1]))

    def _ring(self, keys: Sequence[Key]) -> Keyring:
        if not keys:
            msg = "the sender publishes no key of this name"
            raise SignatureMismatch(msg)
        return FoundRing(keys)

    def _place(self, facts: Facts) -> tuple[str, str]:
        """Return the address to ask, and the key id; raise an ``Answer`` for what is none."""
        key_id = facts.key_id
        if self._key_id is not None:
            key_id = next(iter(self._key_id.read(facts.head)), "")
        if key_id and (len(key_id) > MAX_NAME or not _NAME.fullmatch(key_id)):
            msg = "the key id is too long or not printable ASCII"
            raise SignatureMalformed(msg)
        if self._named_by is not None:
            return self._address(self._named_by, facts), key_id
        if not self._url and not key_id:
            msg = "the request does not name its key"
            raise SignatureMalformed(msg)
        return self._url or key_id, key_id

    def _address(self, place: HeadField | BodyField, facts: Facts) -> str:
        found = next(iter(place.read(facts.head)), "") if isinstance(place, Header | Query) else place.find(facts)
        if not found or len(found) > MAX_NAME or not self._allowed.fullmatch(found):
            msg = "the request names no address at which this sender publishes its keys"
            raise CertUrlUntrusted(msg)
        return found

    def _fetch(self, address: str) -> _Shelf:
        """Return the shelf of *address*, filled; called in a thread, where others wait for the one that fetches."""
        asked = self._clock()
        with self._lock:
            shelf = self._shelves.get(address) or self._room(address)
        if not shelf.turn.acquire(timeout=WAIT):
            msg = "another request is still fetching the sender's keys"
            raise SecretUnavailable(msg)
        try:
            if shelf.tried < asked:
                self._fill(shelf, address)
        finally:
            shelf.turn.release()
        if self._clock() - shelf.since >= STALE:
            msg = "the sender's keys cannot be fetched"
            raise SecretUnavailable(msg)
        return shelf

    def _fill(self, shelf: _Shelf, address: str) -> None:
        with self._lock:
            self._fetches.append(self._clock())
        try:
            keys = dict(self._source(address))
            shelf.keys, shelf.since = keys, self._clock()
        except Answer:
            raise
        except Exception as bad:
            if shelf.since == float("-inf"):
                msg = f"the sender's keys cannot be fetched: {type(bad).__name__}: {bad}"
                raise SecretUnavailable(msg) from bad
        finally:
            shelf.tried = self._clock()

    def _room(self, address: str) -> _Shelf:
        """Return a new shelf for *address*; an empty one, or else the one unused for longest, makes room."""
        if len(self._shelves) >= ADDRESSES:
            empty = next((name for name, shelf in self._shelves.items() if not shelf.keys), None)
            if empty is None:
                self._shelves.popitem(last=False)
            else:
                del self._shelves[empty]
        shelf = self._shelves[address] = _Shelf()
        return shelf


class FoundRing:
    """Public keys that were found for a request."""

    __slots__ = ("_active",)
    party = None
    tests = False

    def __init__(self, keys: Sequence[Key]) -> None:
        """*keys*: those that may have signed."""
        self._active = tuple(ActiveKey(key, place, test=False) for place, key in enumerate(keys))

    def active(self, now: float, /) -> tuple[ActiveKey, ...]:  # noqa: ARG002 - always in force
        """Return all keys."""
        return self._active


def _named(key_id: str) -> bool:
    return not key_id.startswith("#")


_UNKNOWN: Final = _Shelf()
