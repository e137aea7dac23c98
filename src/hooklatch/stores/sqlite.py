"""The duplicate memory of one host: a SQLite file that several processes share.

Write-ahead log with ``synchronous=NORMAL``: a commit survives a killed process; after a power failure the last moments
may be forgotten, which the sender's retry then repeats. Each verb is one statement (several keys: one transaction).
Expired rows are swept a slice of the key space at a time, by the claims themselves.

On an event loop a verb is tried at once without waiting, some thirty microseconds; only where another process holds
the lock does it wait, in a thread.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import stat
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hooklatch.errors import ConfigError, StoreUnavailable
from hooklatch.stores.faces import Record, Threaded
from hooklatch.types import GRANTED, Claim, Standing, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

logger: Final = logging.getLogger("hooklatch")

VERSION: Final = 1
SLICES: Final = 4096
SWEEP_EVERY: Final = 16
"""Claims after which the next slice of the key space is swept."""

IN_THREAD_EVERY: Final = 256
"""Verbs of an event loop after which one runs in a thread, where a checkpoint of the log may take its time."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS delivery (
    key BLOB PRIMARY KEY, fingerprint BLOB NOT NULL, token BLOB NOT NULL, done INTEGER NOT NULL,
    leased_until REAL NOT NULL, first_seen REAL NOT NULL, expires REAL NOT NULL
) STRICT, WITHOUT ROWID
"""
_INSERT: Final = """
INSERT INTO delivery (key, fingerprint, token, done, leased_until, first_seen, expires)
VALUES (:key, :fingerprint, :token, :done, :leased_until, :now, :expires)
ON CONFLICT (key) DO UPDATE SET
    fingerprint = excluded.fingerprint, token = excluded.token, done = excluded.done,
    leased_until = excluded.leased_until, expires = excluded.expires,
    first_seen = CASE WHEN expires <= :now THEN :now ELSE first_seen END
WHERE expires <= :now OR {free} RETURNING 1
"""
_CLAIM: Final = _INSERT.format(
    free="(fingerprint = :fingerprint AND done = 0 AND (leased_until <= :now OR token = :token))"
)
_RENEW: Final = _INSERT.format(free="(done = 0 AND (leased_until <= :now OR token = :token))")
_COMMIT: Final = _INSERT.format(free="token = :token OR (done = 0 AND leased_until <= :now)")
_RELEASE: Final = "UPDATE delivery SET leased_until = 0 WHERE key = :key AND token = :token AND done = 0"
_LOOK: Final = "SELECT fingerprint, done, leased_until, first_seen FROM delivery WHERE key = ? AND expires > ?"
_SWEEP: Final = "DELETE FROM delivery WHERE key >= ? AND key < ? AND expires <= ?"


class SQLiteStore:
    """Remembers deliveries in the file *path*, for all processes of one host.

    *timeout*: seconds to wait for another process's lock before ``StoreUnavailable``; *clock*: unix seconds. The file,
    its ``-wal`` and its ``-shm`` are readable and writable by their owner only.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, timeout: float = 0.75, clock: Callable[[], float] = time.time
    ) -> None:
        """Open or create the file; raise ``ConfigError`` where that is not possible, or not safe."""
        self.path = Path(path)
        self._timeout = timeout
        self._clock = clock
        self._local = threading.local()
        self._claims = 0
        self._slice = 0
        _demand_safe(self.path)
        try:
            self._connection(timeout)
        except sqlite3.Error as bad:
            msg = f"store: {self.path} is no usable SQLite file: {bad}"
            raise ConfigError(msg) from bad
        self.aio = _NoWait(self)

    def __repr__(self) -> str:
        """Return the path."""
        return f"SQLiteStore({str(self.path)!r})"

    def claim(self, claim: Claim, /) -> Standing:
        """See ``hooklatch.types.Store``."""
        return self._claim(claim, self._connection(self._timeout))

    def renew(self, claim: Claim, /) -> bool:
        """See ``hooklatch.types.Store``."""
        return self._renew(claim, self._connection(self._timeout))

    def commit(self, claim: Claim, /) -> bool:
        """See ``hooklatch.types.Store``."""
        return self._commit(claim, self._connection(self._timeout))

    def release(self, claim: Claim, /) -> None:
        """See ``hooklatch.types.Store``."""
        self._release(claim, self._connection(self._timeout))

    def close(self) -> None:
        """Close the connections of this thread."""
        for connection in self._local.__dict__.pop("held", {}).values():
            connection.close()

    def sweep(self) -> int:
        """Delete all expired rows; return how many."""
        with _guarded():
            connection = self._connection(self._timeout)
            return connection.execute("DELETE FROM delivery WHERE expires <= ?", (self._clock(),)).rowcount

    def inspect(self) -> Iterator[Record]:
        """Yield what is remembered, for operators; the keys are hashes."""
        query = "SELECT key, done, first_seen, leased_until FROM delivery WHERE expires > ? ORDER BY first_seen"
        with _guarded():
            for key, done, first_seen, leased_until in self._connection(self._timeout).execute(query, (self._clock(),)):
                yield Record(key, done=bool(done), first_seen=first_seen, leased_until=leased_until)

    def forget(self, key: bytes) -> bool:
        """Forget the delivery called *key* (as ``inspect`` shows it); return whether it was known."""
        with _guarded():
            return self._connection(self._timeout).execute("DELETE FROM delivery WHERE key = ?", (key,)).rowcount > 0

    def _claim(self, claim: Claim, connection: sqlite3.Connection) -> Standing:
        now = self._clock()
        with _guarded():
            if self._all(_CLAIM, claim, connection, now, done=0, leased_until=now + claim.lease):
                self._sweep_slice(connection, now)
                return GRANTED
            rows = [connection.execute(_LOOK, (key, now)).fetchone() for key in claim.keys]
        known = [row for row in rows if row is not None]
        for fingerprint, _, _, first_seen in known:
            if fingerprint != claim.fingerprint:
                return Standing(State.ALTERED, first_seen)
        for _, done, _, first_seen in known:
            if done:
                return Standing(State.DONE, first_seen)
        # Whoever held it may have let go since; the sender's next attempt will find out.
        return Standing(State.IN_FLIGHT, min((row[3] for row in known), default=now))

    def _renew(self, claim: Claim, connection: sqlite3.Connection) -> bool:
        now = self._clock()
        with _guarded():
            return self._all(_RENEW, claim, connection, now, done=0, leased_until=now + claim.lease)

    def _commit(self, claim: Claim, connection: sqlite3.Connection) -> bool:
        with _guarded():
            return self._all(_COMMIT, claim, connection, self._clock(), done=1, leased_until=0.0)

    def _release(self, claim: Claim, connection: sqlite3.Connection) -> None:
        with _guarded():
            connection.executemany(_RELEASE, [{"key": key, "token": claim.token} for key in claim.keys])

    def _all(
        self,
        statement: str,
        claim: Claim,
        connection: sqlite3.Connection,
        now: float,
        *,
        done: int,
        leased_until: float,
    ) -> bool:
        """Run *statement* for every key; return whether all rows gave way, and leave no trace where one did not."""
        values = {
            "fingerprint": claim.fingerprint,
            "token": claim.token,
            "done": done,
            "leased_until": leased_until,
            "now": now,
            "expires": now + claim.ttl,
        }
        if len(claim.keys) == 1:
            return connection.execute(statement, {**values, "key": claim.keys[0]}).fetchone() is not None
        connection.execute("BEGIN IMMEDIATE")
        try:
            good = all(connection.execute(statement, {**values, "key": key}).fetchone() for key in claim.keys)
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT" if good else "ROLLBACK")
        return good

    def _sweep_slice(self, connection: sqlite3.Connection, now: float) -> None:
        self._claims += 1
        if self._claims % SWEEP_EVERY:
            return
        self._slice = (self._slice + 1) % SLICES
        low, high = (int(place * (1 << 16) / SLICES) for place in (self._slice, self._slice + 1))
        # Keys are hashes, so their first two bytes cut the table into even slices without an index on the time.
        above = high.to_bytes(2, "big") if high < 1 << 16 else b"\xff" * 33
        connection.execute(_SWEEP, (low.to_bytes(2, "big"), above, now))

    def _connection(self, timeout: float) -> sqlite3.Connection:
        """Return this thread's connection that waits *timeout* seconds for a lock; a forked child opens its own."""
        held: dict[tuple[int, float], sqlite3.Connection] = self._local.__dict__.setdefault("held", {})
        key = (os.getpid(), timeout)
        connection = held.get(key)
        if connection is None:
            connection = held[key] = _opened(self.path, timeout)
        return connection


class _NoWait:
    """The asynchronous face: each verb is tried inline, and waits in a thread only where the file is locked."""

    def __init__(self, store: SQLiteStore) -> None:
        self._store = store
        self._threaded = Threaded(store)
        self._verbs = 0

    def _inline(self) -> sqlite3.Connection | None:
        """Return a connection that never waits, None where it is a thread's turn."""
        self._verbs += 1
        return None if self._verbs % IN_THREAD_EVERY == 0 else self._store._connection(0.0)  # noqa: SLF001

    async def claim(self, claim: Claim, /) -> Standing:
        connection = self._inline()
        if connection is not None:
            with contextlib.suppress(Locked):
                return self._store._claim(claim, connection)  # noqa: SLF001 - two faces of one store
        return await self._threaded.claim(claim)

    async def renew(self, claim: Claim, /) -> bool:
        connection = self._inline()
        if connection is not None:
            with contextlib.suppress(Locked):
                return self._store._renew(claim, connection)  # noqa: SLF001 - two faces of one store
        return await self._threaded.renew(claim)

    async def commit(self, claim: Claim, /) -> bool:
        connection = self._inline()
        if connection is not None:
            with contextlib.suppress(Locked):
                return self._store._commit(claim, connection)  # noqa: SLF001 - two faces of one store
        return await self._threaded.commit(claim)

    async def release(self, claim: Claim, /) -> None:
        connection = self._inline()
        if connection is not None:
            with contextlib.suppress(Locked):
                self._store._release(claim, connection)  # noqa: SLF001 - two faces of one store
                return
        await self._threaded.release(claim)


class Locked(StoreUnavailable):
    """Another process holds the lock of the file."""

    reason = "store_unavailable"


@contextlib.contextmanager
def _guarded() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as bad:
        msg = f"SQLite: {bad}"
        if bad.sqlite_errorcode in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise Locked(msg) from bad
        raise StoreUnavailable(msg) from bad


def _opened(path: Path, timeout: float) -> sqlite3.Connection:
    # Created by us and not by SQLite, so that nobody else can read it for a moment; -wal and -shm take its mode.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    connection = sqlite3.connect(path, timeout=timeout, isolation_level=None, check_same_thread=False)
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        msg = f"store: {path} was made by a newer hooklatch (schema {version}, this one knows {VERSION})"
        raise ConfigError(msg)
    if version < VERSION:
        connection.execute("PRAGMA busy_timeout = 5000")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(_SCHEMA)
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute(f"PRAGMA busy_timeout = {int(timeout * 1000)}")
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def _demand_safe(path: Path) -> None:
    folder = path.absolute().parent
    if not folder.is_dir():
        msg = f"store: the folder {folder} does not exist; create it, or name another path"
        raise ConfigError(msg)
    if path.is_symlink():
        msg = f"store: {path} is a symbolic link; name the file itself, so that nobody can point it elsewhere"
        raise ConfigError(msg)
    mode = folder.stat().st_mode
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        msg = f"store: everybody can write to {folder}, and replace the file there; choose a folder of your own"
        raise ConfigError(msg)
    if path.exists() and path.stat().st_mode & 0o077:
        logger.warning("store: %s can be read by others; its mode is set to 0600", path)
        path.chmod(0o600)
