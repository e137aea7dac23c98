"""The duplicate memory of one process: two dictionaries under a lock, with a bound and a monotonic clock.

What is *kept* of a delivery (its fingerprint, whether it is done, until when that counts) is packed into few bytes,
because there may be a million of them; what is *live* (who holds the claim, until when) exists only while an
application runs. Expired entries are found by a cursor that moves on with every claim, so no claim pays for all.

When the store is full, done entries that have outlived ``Claim.protect`` go early, oldest first. Live claims and
younger entries are never thrown away, since a forgotten delivery could run again: the store then says so (503).
"""

from __future__ import annotations

import logging
import struct
import threading
import time
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from hooklatch.errors import ConfigError, StoreUnavailable
from hooklatch.observe import say
from hooklatch.types import GRANTED, Claim, Standing, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Fifteen bytes of a key and 31 of a record fit the allocator's size classes without waste: some 150 bytes an entry.
_KEY: Final = 15
# Done, fingerprint, token, expires (our clock), first seen (unix), and for how many minutes of its end it may go early.
_RECORD: Final = struct.Struct("<?12s4sdIH")
_FINGERPRINT: Final = 12
_TOKEN: Final = 4

EVERY: Final = 16
"""Claims after which the cursor moves on."""

STEP: Final = 64
"""Entries it looks at then."""

FULL_STEP: Final = 20_000
"""Entries it looks at on a claim that finds the store full: some ten milliseconds."""

BATCH: Final = 20_000
"""Keys the cursor holds at a time."""

WARN_AT: Final = 0.8
KEYS: Final = 16


_EXPIRES: Final = struct.Struct("<d")
_BEFORE: Final = slice(1, 17)
_AFTER: Final = slice(25, 31)
"""What a record says before and after the moment it expires at, behind its first byte."""


class _Live(NamedTuple):
    """Who holds a delivery, and until when."""

    token: bytes
    expires: float


class MemoryStore:
    """Remembers deliveries in this process only; several processes need SQLite, Redis or PostgreSQL.

    *limit*: deliveries held at most; *clock*: monotonic seconds.
    """

    blocking = False
    notes = ("the store remembers deliveries in this process only; use SQLite, Redis or PostgreSQL for several",)

    def __init__(self, *, limit: int = 1_000_000, clock: Callable[[], float] = time.monotonic) -> None:
        """Raise ``ConfigError`` for a limit under 1."""
        if not isinstance(limit, int) or limit < 1:
            msg = f"MemoryStore(limit={limit!r}): it must hold at least one delivery"
            raise ConfigError(msg)
        self.evicted = 0
        """Entries that went early because the store was full."""
        self._limit = limit
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[bytes, bytes] = {}
        self._live: dict[bytes, _Live] = {}
        self._cursor: Iterator[bytes] = iter(())
        self._position = 0
        self._claims = 0
        # Below this many entries there is room for any claim: one has at most as many keys as a route has secrets.
        self._warn_at = int(limit * WARN_AT) - KEYS
        self._warned = False

    def __repr__(self) -> str:
        """Return how full the store is."""
        return f"<MemoryStore {len(self._kept)} of {self._limit}>"

    def claim(self, claim: Claim, /) -> Standing:
        """Grant *claim*, or say why not; raise ``StoreUnavailable`` when full."""
        now = self._clock()
        kept = self._kept
        keys = [key[:_KEY] for key in claim.keys]
        with self._lock:
            first_seen = None
            for key in keys:
                if key in kept:
                    standing = self._standing(keys, claim, now)
                    if standing.state is not State.GRANTED:
                        return standing
                    first_seen = standing.first_seen
                    break
            self._claims += 1
            if not self._claims % EVERY:
                self._sweep(STEP, now, early=False)
            if len(kept) >= self._warn_at:
                self._make_room(keys, now)
            record = _record(claim, first_seen, now, done=False)
            live = _Live(claim.token, now + claim.lease)
            for key in keys:
                self._live[key] = live
                kept[key] = record
        return GRANTED

    def peek(self, claim: Claim, /) -> Standing:
        """Return what ``claim`` would answer, without claiming."""
        with self._lock:
            return self._standing([key[:_KEY] for key in claim.keys], claim, self._clock())

    def _standing(self, keys: list[bytes], claim: Claim, now: float) -> Standing:
        fingerprint = claim.fingerprint[:_FINGERPRINT]
        first_seen = None
        done_since = None
        for key in keys:
            record = self._kept.get(key)
            if record is None:
                continue
            done, pinned, _, expires, since, _ = _RECORD.unpack(record)
            if expires <= now:
                continue
            if pinned != fingerprint:
                return Standing(State.ALTERED, since)
            first_seen = since if first_seen is None else min(first_seen, since)
            if done:
                done_since = since
        if done_since is not None:
            return Standing(State.DONE, done_since)
        for key in keys:
            live = self._live.get(key)
            if live is not None and live.expires > now and live.token != claim.token:
                return Standing(State.IN_FLIGHT, first_seen)
        return GRANTED if first_seen is None else Standing(State.GRANTED, first_seen)

    def renew(self, claim: Claim, /) -> bool:
        """Begin the lease anew; False if this claim was released, taken over, or is done."""
        now = self._clock()
        with self._lock:
            for full in claim.keys:
                live, record = self._live.get(full[:_KEY]), self._kept.get(full[:_KEY])
                if live is None or live.token != claim.token or record is None or _RECORD.unpack(record)[3] <= now:
                    return False
            for full in claim.keys:
                key = full[:_KEY]
                self._live[key] = _Live(claim.token, now + claim.lease)
                record = self._kept[key]
                self._kept[key] = max(record, _until(now + claim.ttl, record, done=False), key=_expires)
        return True

    def commit(self, claim: Claim, /) -> bool:
        """Remember the delivery as done; False if another claimant has it, or had it and is done."""
        now = self._clock()
        token = claim.token
        with self._lock:
            keys = [key[:_KEY] for key in claim.keys]
            ours = True
            for key in keys:
                live = self._live.get(key)
                if live is None or live[0] != token:
                    ours = False
            if not ours and not self._ours(claim, now):
                return False
            for key in keys:
                record = self._kept.get(key)
                if record is None or not ours:
                    # Our own entry is gone, lapsed and swept, or was committed before.
                    record = _record(claim, None if record is None else _RECORD.unpack(record)[4], now, done=True)
                self._kept[key] = _until(now + claim.ttl, record, done=True)
                self._live.pop(key, None)
        return True

    def release(self, claim: Claim, /) -> None:
        """Free what is in flight under this token; its fingerprint stays pinned."""
        with self._lock:
            for full in claim.keys:
                key = full[:_KEY]
                live = self._live.get(key)
                if live is not None and live.token == claim.token:
                    del self._live[key]

    def forget(self, key: bytes) -> bool:
        """Forget the delivery called *key* (one of ``Claim.keys``); return whether it was known."""
        with self._lock:
            self._live.pop(key[:_KEY], None)
            return self._kept.pop(key[:_KEY], None) is not None

    def _ours(self, claim: Claim, now: float) -> bool:
        """Return whether no key is held, or was finished, by another: a lapsed lease that nobody took is still ours."""
        for full in claim.keys:
            key = full[:_KEY]
            live = self._live.get(key)
            if live is None:
                record = self._kept.get(key)
                if record is not None and record[0]:
                    _, _, token, expires, _, _ = _RECORD.unpack(record)
                    if expires > now and token != claim.token[:_TOKEN]:
                        return False
            elif live.token != claim.token and live.expires > now:
                return False
        return True

    def _make_room(self, keys: list[bytes], now: float) -> None:
        size = len(self._kept)
        if not self._warned and size > self._limit * WARN_AT:
            self._warned = True
            say(logging.WARNING, "the memory store is %d %% full (%d)", WARN_AT * 100, self._limit)
        wanted = sum(key not in self._kept for key in keys)
        if size + wanted > self._limit:
            self._sweep(FULL_STEP, now, early=True)
            if len(self._kept) + wanted > self._limit:
                msg = f"the memory store is full: {self._limit} deliveries that still protect"
                raise StoreUnavailable(msg)

    def _sweep(self, steps: int, now: float, *, early: bool) -> None:
        """Move the cursor over *steps* entries, dropping expired ones; *early*: also done ones that protect no more."""
        wrapped = False
        for _ in range(steps):
            key = next(self._cursor, None)
            if key is None:
                # A batch at a time, because the dictionary changes while the cursor travels.
                batch = list(islice(self._kept, self._position, self._position + BATCH))
                self._position += len(batch)
                if not batch:
                    if wrapped:
                        return
                    self._position, wrapped = 0, True
                self._cursor = iter(batch)
                continue
            record = self._kept.get(key)
            if record is None or self._held(key, now):
                continue
            done, _, _, expires, _, spare = _RECORD.unpack(record)
            if expires <= now:
                del self._kept[key]
                self._live.pop(key, None)
                self._position -= 1
            elif early and done and now > expires - spare * 60:
                del self._kept[key]
                self._position -= 1
                self.evicted += 1

    def _held(self, key: bytes, now: float) -> bool:
        live = self._live.get(key)
        return live is not None and live.expires > now


def _expires(record: bytes) -> float:
    expires: float = _RECORD.unpack(record)[3]
    return expires


def _record(claim: Claim, first_seen: float | None, now: float, *, done: bool) -> bytes:
    """Return the record of *claim*; ``struct`` cuts fingerprint and token to what fits."""
    since = int(time.time() if first_seen is None else first_seen)
    spare = _spare(claim.ttl, claim.protect)
    return _RECORD.pack(done, claim.fingerprint, claim.token, now + claim.ttl, since, spare)


def _until(expires: float, record: bytes, *, done: bool) -> bytes:
    """Return *record* with another end."""
    return (b"\1" if done else b"\0") + record[_BEFORE] + _EXPIRES.pack(expires) + record[_AFTER]


@lru_cache
def _spare(ttl: float, protect: float) -> int:
    """Return for how many minutes of its end a record may go early."""
    return min(65_535, max(0, int((ttl - protect) // 60)))
