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
from weakref import WeakSet

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
WHERE expires <= :now OR {free}
"""
_CLAIM: Final = _INSERT.format(
    free="(fingerprint = :fingerprint AND done = 0 AND (leased_until <= :now OR token = :token))"
)
_RENEW: Final = """
UPDATE delivery SET leased_until = :leased_until, expires = max(expires, :expires)
WHERE key = :key AND token = :token AND done = 0 AND expires > :now
"""
_FINISH: Final = """
UPDATE delivery SET done = 1, leased_until = 0, expires = :expires
WHERE key = :key AND token = :token AND done = 0 AND expires > :now
"""
# Where the row is not ours, or gone: it may have lapsed and be nobody's.
_COMMIT: Final = _INSERT.format(free="token = :token OR (done = 0 AND leased_until <= :now)")
_RELEASE: Final = "UPDATE delivery SET leased_until = 0, token = x'' WHERE key = :key AND token = :token AND done = 0"
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
        self._local = threading.local()
        self._opening = threading.Lock()
        self._all_held: WeakSet[_Held] = WeakSet()
        self._claims = 0
        self._slice = 0
        _demand_safe(self.path)
        try:
            with self._connected(timeout):
                pass
        except StoreUnavailable as bad:
            msg = f"store: {self.path} is no usable SQLite file: {bad.args[0]}"
            raise ConfigError(msg) from bad
        _opened_stores.add(self)
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
        self.before_fork()
        self.after_fork()

    def sweep(self) -> int:
        """Delete all expired rows; return how many."""
        with self._connected(self._timeout) as connection:
            return connection.execute("DELETE FROM delivery WHERE expires <= ?", (self._clock(),)).rowcount

    def inspect(self) -> Iterator[Record]:
        """Yield what is remembered, for operators; the keys are hashes."""
        query = "SELECT key, done, first_seen, leased_until FROM delivery WHERE expires > ? ORDER BY first_seen"
        with self._connected(self._timeout) as connection:
            rows = connection.execute(query, (self._clock(),)).fetchall()
        for key, done, first_seen, leased_until in rows:
            yield Record(key, done=bool(done), first_seen=first_seen, leased_until=leased_until)

    def forget(self, key: bytes) -> bool:
        """Forget the delivery called *key* (as ``inspect`` shows it); return whether it was known."""
        with self._connected(self._timeout) as connection:
            return connection.execute("DELETE FROM delivery WHERE key = ?", (key,)).rowcount > 0

    def _claim(self, claim: Claim, timeout: float) -> Standing:
        now = self._clock()
        with self._connected(timeout) as connection:
            if self._all(_CLAIM, claim, connection, now, done=0, leased_until=now + claim.lease):
                # The claim is granted; tidying up may fail.
                with contextlib.suppress(sqlite3.Error):
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

    def _renew(self, claim: Claim, timeout: float) -> bool:
        now = self._clock()
        with self._connected(timeout) as connection:
            return self._all(_RENEW, claim, connection, now, done=0, leased_until=now + claim.lease)

    def _commit(self, claim: Claim, timeout: float) -> bool:
        now = self._clock()
        with self._connected(timeout) as connection:
            return any(
                self._all(statement, claim, connection, now, done=1, leased_until=0.0)
                for statement in (_FINISH, _COMMIT)
            )

    def _release(self, claim: Claim, timeout: float) -> None:
        with self._connected(timeout) as connection:
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
            return connection.execute(statement, {**values, "key": claim.keys[0]}).rowcount == 1
        connection.execute("BEGIN IMMEDIATE")
        try:
            good = all(connection.execute(statement, {**values, "key": key}).rowcount == 1 for key in claim.keys)
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

    @contextlib.contextmanager
    def _connected(self, timeout: float) -> Iterator[sqlite3.Connection]:
        """Yield this thread's connection that waits *timeout* seconds for a lock; raise ``StoreUnavailable``."""
        with _guarded():
            held = self._held(timeout)
            while not held.lock.acquire(timeout=self._timeout) or held.closed:
                held = self._held(timeout)
            try:
                yield held.connection
            finally:
                held.lock.release()

    def _held(self, timeout: float) -> _Held:
        mine: dict[float, _Held] = self._local.__dict__.setdefault("held", {})
        held = mine.get(timeout)
        if held is None or held.closed:
            with self._opening:
                held = mine[timeout] = _Held(_opened(self.path, timeout))
                self._all_held.add(held)
        return held

    def before_fork(self) -> None:
        """Close every connection: SQLite's bookkeeping of locks, copied into a child, would be wrong in both."""
        self._opening.acquire()
        for held in list(self._all_held):
            with held.lock:
                held.close()
        self._all_held.clear()

    def after_fork(self) -> None:
        """Let connections be opened again."""
        self._opening.release()


class _Held:
    """One thread's connection, and the lock under which it is used; it is closed when the thread ends."""

    __slots__ = ("__weakref__", "closed", "connection", "lock")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.lock = threading.Lock()
        self.closed = False

    def close(self) -> None:
        self.closed = True
        self.connection.close()

    def __del__(self) -> None:
        self.connection.close()


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


class SQLiteUnavailable(StoreUnavailable):
    """What SQLite could not do, it has not done."""

    reason = "store_unavailable"
    uncertain = False


class Locked(SQLiteUnavailable):
    """Another process holds the lock of the file."""

    reason = "store_unavailable"


@contextlib.contextmanager
def _guarded() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as bad:
        msg = f"SQLite: {bad}"
        if getattr(bad, "sqlite_errorcode", 0) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise Locked(msg) from bad
        raise SQLiteUnavailable(msg) from bad
    except OSError as bad:
        msg = f"SQLite: {bad.strerror}"
        raise SQLiteUnavailable(msg) from bad


def _opened(path: Path, timeout: float) -> sqlite3.Connection:
    # Created by us and not by SQLite, so that nobody else can read it for a moment; -wal and -shm take its mode.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    connection = sqlite3.connect(path, timeout=timeout, isolation_level=None, check_same_thread=False)
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        msg = f"the file was made by a newer hooklatch (schema {version}, this one knows {VERSION})"
        raise SQLiteUnavailable(msg)
    if version < VERSION:
        connection.execute("PRAGMA busy_timeout = 5000")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(_SCHEMA)
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute(f"PRAGMA busy_timeout = {int(timeout * 1000)}")
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


_opened_stores: WeakSet[SQLiteStore] = WeakSet()


def _before_fork() -> None:
    _one_fork.acquire()
    _forking.extend(_opened_stores)
    for store in _forking:
        store.before_fork()


def _after_fork() -> None:
    for store in _forking:
        store.after_fork()
    _forking.clear()
    _one_fork.release()


_forking: list[SQLiteStore] = []
_one_fork: Final = threading.Lock()
os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)


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
