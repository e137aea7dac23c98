"""The duplicate memory of one process: two dictionaries under a lock, with a bound and a monotonic clock.

A delivery is in one of them. While an application runs it is *live*: who holds the claim, and since when. Afterwards it
is *kept*: its fingerprint, whether it is done, and until when that counts, packed into few bytes, because there may be
a million of them. Expired entries are found by cursors that move on as the store grows, so no claim pays for all.

When the store is full, done entries that have outlived ``Claim.protect`` go early, oldest first. Live claims and
younger entries are never thrown away, since a forgotten delivery could run again: the store then says so (503).
"""

from __future__ import annotations

import logging
import struct
import threading
import time
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias

from hooklatch.errors import ConfigError, StoreUnavailable
from hooklatch.observe import say
from hooklatch.stores.cursor import Cursor
from hooklatch.types import GRANTED, Claim, Standing, State

if TYPE_CHECKING:
    from collections.abc import Callable

# Fifteen bytes of a key and 31 of a record fit the allocator's size classes without waste: some 150 bytes an entry.
_KEY: Final = 15
# Its end (our clock), first seen (unix), done, for how many minutes of its end it may go early, fingerprint, token.
_RECORD: Final = struct.Struct(">dI?H12s4s")
_END: Final = struct.Struct(">d")
_LATEST: Final = b"\xff" * 31
_FINGERPRINT: Final = 12
_TOKEN: Final = 4

STEP: Final = 64
"""Entries the cursors look at, when they move on."""

OFTEN: Final = 16
SELDOM: Final = 64
"""Entries by which the store grows before they do so again: after they have found something, and if they have not."""

FULL_STEP: Final = 20_000
"""Entries they look at on a claim that finds the store full: some ten milliseconds."""

WARN_AT: Final = 0.8

# The claim, when its lease began (our clock), and when the delivery was first seen (unix). A plain tuple under the
# whole key, because every delivery makes one.
_Live: TypeAlias = tuple[Claim, float, float]


class MemoryStore:
    """Remembers deliveries in this process only; several processes need SQLite, Redis or PostgreSQL.

    *limit*: deliveries held at most; *clock*: monotonic seconds, never negative.
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
        self._over_kept = Cursor(self._kept)
        self._over_live = Cursor(self._live)
        # Up to this many entries there is room for any claim, and nothing to sweep or to say.
        self._calm = 0
        self._warned = False

    def __repr__(self) -> str:
        """Return how full the store is."""
        return f"<MemoryStore {self._size()} of {self._limit}>"

    def claim(self, claim: Claim, /) -> Standing:
        """Grant *claim*, or say why not; raise ``StoreUnavailable`` when full."""
        now = self._clock()
        keys = claim.keys
        live, kept = self._live, self._kept
        with self._lock:
            for key in keys:
                if key in live or key[:_KEY] in kept:
                    return self._claim_known(claim, now)
            if len(live) + len(kept) + len(keys) > self._calm:
                self._make_room(len(keys), now)
            entry = (claim, now, time.time())
            for key in keys:
                live[key] = entry
        return GRANTED

    def peek(self, claim: Claim, /) -> Standing:
        """Return what ``claim`` would answer, without claiming."""
        with self._lock:
            return self._standing(claim, self._clock())

    def renew(self, claim: Claim, /) -> bool:
        """Begin the lease anew; False if this claim was released, taken over, or is done."""
        now = self._clock()
        with self._lock:
            for key in claim.keys:
                entry = self._live.get(key)
                if entry is None or entry[0].token != claim.token or entry[1] + claim.ttl <= now:
                    return False
            for key in claim.keys:
                self._live[key] = (claim, now, self._live[key][2])
        return True

    def commit(self, claim: Claim, /) -> bool:
        """Remember the delivery as done; False if another claimant has it, or had it and is done.

        Raises ``StoreUnavailable`` where the claim has long been forgotten, and the store is full.
        """
        now = self._clock()
        keys, token, live = claim.keys, claim.token, self._live
        since = 0.0
        with self._lock:
            for key in keys:
                entry = live.get(key)
                if entry is None or entry[0].token != token:
                    return self._commit_unheld(claim, now)
                since = entry[2]
            record = _record(claim, now, since, done=True)
            for key in keys:
                self._kept[key[:_KEY]] = record
                live.pop(key, None)  # two public keys call a delivery by one name
        return True

    def release(self, claim: Claim, /) -> None:
        """Free what is in flight under this token; its fingerprint stays pinned."""
        with self._lock:
            for key in claim.keys:
                entry = self._live.get(key)
                if entry is not None and entry[0].token == claim.token:
                    _, began, since = self._live.pop(key)
                    self._kept[key[:_KEY]] = _record(claim, began, since, done=False)

    def forget(self, key: bytes) -> bool:
        """Forget the delivery called *key* (one of ``Claim.keys``); return whether it was known."""
        with self._lock:
            was_live = self._live.pop(key, None) is not None
            return self._kept.pop(key[:_KEY], None) is not None or was_live

    def _size(self) -> int:
        return len(self._live) + len(self._kept)

    def _claim_known(self, claim: Claim, now: float) -> Standing:
        """Grant *claim*, or say why not, where the store has an entry under one of its keys."""
        standing = self._standing(claim, now)
        if standing.state is not State.GRANTED:
            return standing
        entry = (claim, now, self._taken_over(claim, now))
        for key in claim.keys:
            self._live[key] = entry
        return GRANTED

    def _standing(self, claim: Claim, now: float) -> Standing:
        first_seen = done_since = None
        in_flight = False
        for key in claim.keys:
            entry, record = self._live.get(key), self._kept.get(key[:_KEY])
            if entry is not None:
                holder, began, since = entry
                in_flight = in_flight or (began + holder.lease > now and holder.token != claim.token)
                done, expires, same = False, began + holder.ttl, holder.fingerprint == claim.fingerprint
            elif record is not None:
                expires, since, done, _, pinned, _ = _RECORD.unpack(record)
                same = pinned == claim.fingerprint[:_FINGERPRINT]
            else:
                continue
            if expires <= now:
                continue
            if not same:
                return Standing(State.ALTERED, since)
            first_seen = since if first_seen is None else min(first_seen, since)
            if done:
                done_since = since
        if done_since is not None:
            return Standing(State.DONE, done_since)
        if in_flight:
            return Standing(State.IN_FLIGHT, first_seen)
        return GRANTED if first_seen is None else Standing(State.GRANTED, first_seen)

    def _commit_unheld(self, claim: Claim, now: float) -> bool:
        """Commit what is not in flight under this token: a lapsed lease that nobody took is still ours."""
        for key in claim.keys:
            entry, record = self._live.get(key), self._kept.get(key[:_KEY])
            if entry is not None:
                if entry[0].token != claim.token and entry[1] + entry[0].lease > now:
                    return False
            elif record is not None:
                expires, _, done, _, _, token = _RECORD.unpack(record)
                if done and expires > now and token != claim.token[:_TOKEN]:
                    return False
        record = _record(claim, now, self._taken_over(claim, now), done=True)
        for key in claim.keys:
            self._kept[key[:_KEY]] = record
        return True

    def _taken_over(self, claim: Claim, now: float) -> float:
        """Make room for *claim*, take out what is there under its keys, and return since when that is known."""
        unknown = sum(key not in self._live and key[:_KEY] not in self._kept for key in claim.keys)
        if unknown and self._size() + unknown > self._calm:
            self._make_room(unknown, now)
        first_seen = time.time()
        for key in claim.keys:
            entry, record = self._live.pop(key, None), self._kept.pop(key[:_KEY], None)
            if entry is not None:
                holder, began, since = entry
                expires = began + holder.ttl
            elif record is not None:
                expires, since, _, _, _, _ = _RECORD.unpack(record)
            else:
                continue
            if expires > now:
                first_seen = min(first_seen, since)
        return first_seen

    def _make_room(self, wanted: int, now: float) -> None:
        """Sweep a little; raise ``StoreUnavailable`` where *wanted* entries more do not fit."""
        found = self._sweep(STEP, now)
        if not self._warned and self._size() + wanted > self._limit * WARN_AT:
            self._warned = True
            say(logging.WARNING, "the memory store is %d %% full (%d)", WARN_AT * 100, self._limit)
        if self._size() + wanted > self._limit:
            self._sweep(FULL_STEP, now)
            self._evict(FULL_STEP, now)
            if self._size() + wanted > self._limit:
                msg = f"the memory store is full: {self._limit} deliveries that still protect"
                raise StoreUnavailable(msg)
        calm = self._limit if self._warned else int(self._limit * WARN_AT)
        self._calm = min(self._size() + wanted + (OFTEN if found else SELDOM), calm)

    def _sweep(self, steps: int, now: float) -> int:
        """Drop what has expired among the next *steps* entries; return how many."""
        live, kept = self._live, self._kept
        lapsed = [key for key in self._over_live.walk(steps) if key in live and _end(live[key]) <= now]
        for key in lapsed:
            live.pop(key, None)
        self._over_live.dropped(len(lapsed))
        # A record begins with its end, in bytes that are ordered as the moments are.
        ended = _END.pack(now) + _LATEST
        expired = [key for key in self._over_kept.walk(steps) if kept.get(key, _LATEST) <= ended]
        for key in expired:
            kept.pop(key, None)
        self._over_kept.dropped(len(expired))
        return len(lapsed) + len(expired)

    def _evict(self, steps: int, now: float) -> None:
        """Drop also done deliveries that protect no more."""
        keys = self._over_kept.walk(steps)
        for key in keys:
            record = self._kept.get(key)
            if record is None:
                continue
            ends, _, done, spare, _, _ = _RECORD.unpack(record)
            if done and now > ends - spare * 60:
                del self._kept[key]
                self._over_kept.dropped(1)
                self.evicted += 1


def _end(entry: _Live) -> float:
    """Return until when a live entry says anything."""
    claim, began, _ = entry
    return began + max(claim.lease, claim.ttl)


def _record(claim: Claim, began: float, since: float, *, done: bool) -> bytes:
    """Return the record of *claim*; ``struct`` cuts fingerprint and token to what fits."""
    spare = _spare(claim.ttl, claim.protect)
    return _RECORD.pack(began + claim.ttl, int(since), done, spare, claim.fingerprint, claim.token)


@lru_cache
def _spare(ttl: float, protect: float) -> int:
    """Return for how many minutes of its end a record may go early."""
    return min(65_535, max(0, int((ttl - protect) // 60)))
