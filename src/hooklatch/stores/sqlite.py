"""The duplicate memory of one host: a SQLite file that several processes share.

Write-ahead log with ``synchronous=NORMAL``: a commit survives a killed process; after a power failure the last moments
may be forgotten, which the sender's retry then repeats. Each verb is one statement (several keys: one transaction).
Expired rows are swept a slice of the key space at a time, by the claims themselves.

On an event loop a verb is tried at once without waiting, some thirty microseconds; only where another process holds
the lock does it wait, in a thread.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from hooklatch.errors import ConfigError, StoreUnavailable
from hooklatch.stores.faces import Record, Threaded
from hooklatch.stores.sqlite_file import Locked, SQLiteFile
from hooklatch.types import GRANTED, Claim, Standing, State

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    from hooklatch.stores.sqlite_file import Connection

SLICES: Final = 4096
SWEEP_EVERY: Final = 16
"""Claims after which the next slice of the key space is swept."""

IN_THREAD_EVERY: Final = 256
"""Verbs of an event loop after which one runs in a thread, where a checkpoint of the log may take its time."""

Row: TypeAlias = tuple[bytes | float, ...]
"""What takes the place of a statement's question marks, for one key."""

_INSERT: Final = """
INSERT INTO delivery (key, fingerprint, token, done, leased_until, first_seen, expires)
VALUES (?, ?, ?, {done}, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET
    fingerprint = excluded.fingerprint, token = excluded.token, done = excluded.done,
    leased_until = excluded.leased_until, expires = excluded.expires,
    first_seen = iif(delivery.expires <= excluded.first_seen, excluded.first_seen, delivery.first_seen)
WHERE delivery.expires <= excluded.first_seen OR {free}
"""
_LAPSED: Final = "delivery.leased_until <= excluded.first_seen"
_OURS: Final = "delivery.token = excluded.token"
_CLAIM: Final = _INSERT.format(
    done=0, free=f"(delivery.fingerprint = excluded.fingerprint AND delivery.done = 0 AND ({_LAPSED} OR {_OURS}))"
)
_RENEW: Final = """
UPDATE delivery SET leased_until = ?, expires = max(expires, ?)
WHERE key = ? AND token = ? AND done = 0 AND expires > ?
"""
_FINISH: Final = """
UPDATE delivery SET done = 1, leased_until = 0, expires = ?
WHERE key = ? AND token = ? AND done = 0 AND expires > ?
"""
# Where the row is not ours, or gone: it may have lapsed and be nobody's.
_COMMIT: Final = _INSERT.format(done=1, free=f"{_OURS} OR (delivery.done = 0 AND {_LAPSED})")
_RELEASE: Final = "UPDATE delivery SET leased_until = 0, token = x'' WHERE key = ? AND token = ? AND done = 0"
_LOOK: Final = "SELECT fingerprint, done, leased_until, first_seen FROM delivery WHERE key = ? AND expires > ?"
_SWEEP: Final = "DELETE FROM delivery WHERE key >= ? AND key < ? AND expires <= ?"


class SQLiteStore:
    """Remembers deliveries in the file *path*, for all processes of one host.

    *timeout*: seconds to wait for another process's lock before ``StoreUnavailable``; *clock*: unix seconds. The file,
    its ``-wal`` and its ``-shm`` are readable and writable by their owner only.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, timeout: float = 0.5, clock: Callable[[], float] = time.time
    ) -> None:
        """Open or create the file; raise ``ConfigError`` where that is not possible, or not safe."""
        self.path = Path(path)
        self._timeout = timeout
        self._clock = clock
        self._claims = 0
        self._slice = 0
        self._file = SQLiteFile(self.path)
        try:
            with self._file.connection(timeout):
                pass
        except StoreUnavailable as bad:
            msg = f"store: {self.path} is no usable SQLite file: {bad.args[0]}"
            raise ConfigError(msg) from bad
        self.aio = _NoWait(self)

    def __repr__(self) -> str:
        """Return the path."""
        return f"SQLiteStore({str(self.path)!r})"

    def claim(self, claim: Claim, /) -> Standing:
        """See ``hooklatch.types.Store``."""
        return self._claim(claim, self._timeout)

    def renew(self, claim: Claim, /) -> bool:
        """See ``hooklatch.types.Store``."""
        return self._renew(claim, self._timeout)

    def commit(self, claim: Claim, /) -> bool:
        """See ``hooklatch.types.Store``."""
        return self._commit(claim, self._timeout)

    def release(self, claim: Claim, /) -> None:
        """See ``hooklatch.types.Store``."""
        self._release(claim, self._timeout)

    def close(self) -> None:
        """Close all connections; the next verb opens new ones."""
        self._file.close()

    def sweep(self) -> int:
        """Delete all expired rows; return how many."""
        with self._file.connection(self._timeout) as connection:
            return connection.execute("DELETE FROM delivery WHERE expires <= ?", (self._clock(),)).rowcount

    def inspect(self) -> Iterator[Record]:
        """Yield what is remembered, for operators; the keys are hashes."""
        query = "SELECT key, done, first_seen, leased_until FROM delivery WHERE expires > ? ORDER BY first_seen"
        with self._file.connection(self._timeout) as connection:
            rows = connection.execute(query, (self._clock(),)).fetchall()
        for key, done, first_seen, leased_until in rows:
            yield Record(key, done=bool(done), first_seen=first_seen, leased_until=leased_until)

    def forget(self, key: bytes) -> bool:
        """Forget the delivery called *key* (as ``inspect`` shows it); return whether it was known."""
        with self._file.connection(self._timeout) as connection:
            return connection.execute("DELETE FROM delivery WHERE key = ?", (key,)).rowcount > 0

    def _claim(self, claim: Claim, timeout: float) -> Standing:
        now = self._clock()
        keys, fingerprint, lease, ttl, token, _ = claim
        with self._file.connection(timeout) as connection:
            if _all(connection, _CLAIM, [(key, fingerprint, token, now + lease, now, now + ttl) for key in keys]):
                self._claims += 1
                if not self._claims % SWEEP_EVERY:
                    # The claim is granted; tidying up may fail.
                    with contextlib.suppress(sqlite3.Error):
                        self._sweep_slice(connection, now)
                return GRANTED
            rows = [connection.execute(_LOOK, (key, now)).fetchone() for key in keys]
        known = [row for row in rows if row is not None]
        for pinned, _, _, first_seen in known:
            if pinned != fingerprint:
                return Standing(State.ALTERED, first_seen)
        for _, done, _, first_seen in known:
            if done:
                return Standing(State.DONE, first_seen)
        # Whoever held it may have let go since; the sender's next attempt will find out.
        return Standing(State.IN_FLIGHT, min((row[3] for row in known), default=now))

    def _renew(self, claim: Claim, timeout: float) -> bool:
        now = self._clock()
        leased_until, expires = now + claim.lease, now + claim.ttl
        with self._file.connection(timeout) as connection:
            return _all(connection, _RENEW, [(leased_until, expires, key, claim.token, now) for key in claim.keys])

    def _commit(self, claim: Claim, timeout: float) -> bool:
        now = self._clock()
        keys, fingerprint, _, ttl, token, _ = claim
        with self._file.connection(timeout) as connection:
            return _all(connection, _FINISH, [(now + ttl, key, token, now) for key in keys]) or _all(
                connection, _COMMIT, [(key, fingerprint, token, 0.0, now, now + ttl) for key in keys]
            )

    def _release(self, claim: Claim, timeout: float) -> None:
        with self._file.connection(timeout) as connection:
            connection.sqlite.executemany(_RELEASE, [(key, claim.token) for key in claim.keys])

    def _sweep_slice(self, connection: Connection, now: float) -> None:
        self._slice = (self._slice + 1) % SLICES
        low, high = (int(place * (1 << 16) / SLICES) for place in (self._slice, self._slice + 1))
        # Keys are hashes, so their first two bytes cut the table into even slices without an index on the time.
        above = high.to_bytes(2, "big") if high < 1 << 16 else b"\xff" * 33
        connection.execute(_SWEEP, (low.to_bytes(2, "big"), above, now))


def _all(connection: Connection, statement: str, rows: list[Row]) -> bool:
    """Run *statement* for every row; return whether all gave way, and leave no trace where one did not."""
    if len(rows) == 1:
        return connection.run(statement, rows[0]).rowcount == 1
    connection.run("BEGIN IMMEDIATE")
    try:
        good = all(connection.run(statement, row).rowcount == 1 for row in rows)
    except BaseException:
        connection.run("ROLLBACK")
        raise
    connection.run("COMMIT" if good else "ROLLBACK")
    return good


class _NoWait:
    """The asynchronous face: each verb is tried inline, and waits in a thread only where the file is locked."""

    def __init__(self, store: SQLiteStore) -> None:
        self._store = store
        self._threaded = Threaded(store)
        self._verbs = 0

    def _inline(self) -> bool:
        """Return whether to try at once; now and then it is a thread's turn."""
        self._verbs += 1
        return self._verbs % IN_THREAD_EVERY != 0

    async def claim(self, claim: Claim, /) -> Standing:
        if self._inline():
            with contextlib.suppress(Locked):
                return self._store._claim(claim, 0.0)  # noqa: SLF001 - two faces of one store
        return await self._threaded.claim(claim)

    async def renew(self, claim: Claim, /) -> bool:
        if self._inline():
            with contextlib.suppress(Locked):
                return self._store._renew(claim, 0.0)  # noqa: SLF001 - two faces of one store
        return await self._threaded.renew(claim)

    async def commit(self, claim: Claim, /) -> bool:
        if self._inline():
            with contextlib.suppress(Locked):
                return self._store._commit(claim, 0.0)  # noqa: SLF001 - two faces of one store
        return await self._threaded.commit(claim)

    async def release(self, claim: Claim, /) -> None:
        if self._inline():
            with contextlib.suppress(Locked):
                self._store._release(claim, 0.0)  # noqa: SLF001 - two faces of one store
                return
        await self._threaded.release(claim)
