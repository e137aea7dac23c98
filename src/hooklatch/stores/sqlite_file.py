"""The file of a SQLite store: safe to trust, opened once a thread, closed before a fork."""

from __future__ import annotations

import logging
import os
import sqlite3
import stat
import threading
from typing import TYPE_CHECKING, Final, Self
from weakref import WeakSet

from hooklatch.errors import ConfigError, StoreUnavailable

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

logger: Final = logging.getLogger("hooklatch")

VERSION: Final = 1

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS delivery (
    key BLOB PRIMARY KEY, fingerprint BLOB NOT NULL, token BLOB NOT NULL, done INTEGER NOT NULL,
    leased_until REAL NOT NULL, first_seen REAL NOT NULL, expires REAL NOT NULL
) STRICT, WITHOUT ROWID
"""


class SQLiteUnavailable(StoreUnavailable):
    """What SQLite could not do, it has not done."""

    reason = "store_unavailable"
    uncertain = False


class Locked(SQLiteUnavailable):
    """Another process holds the lock of the file."""

    reason = "store_unavailable"


class SQLiteFile:
    """The connections of one process to one file."""

    def __init__(self, path: Path) -> None:
        """Raise ``ConfigError`` where the file, or its folder, is not safe."""
        _demand_safe(path)
        self._path = path
        self._mine = _Mine()
        self._opening = threading.Lock()
        self._all: WeakSet[Connection] = WeakSet()
        _files.add(self)

    def connection(self, timeout: float) -> Connection:
        """Return this thread's connection that waits *timeout* seconds for a lock, taken for one ``with`` block."""
        held = self._mine.connections.get(timeout)
        while held is None or not held.taken():
            held = self._opened(timeout)
        return held

    def _opened(self, timeout: float) -> Connection:
        with self._opening:
            try:
                made = self._mine.connections[timeout] = Connection(_opened(self._path, timeout))
            except (sqlite3.Error, OSError) as bad:
                raise unavailable(bad) from bad
            self._all.add(made)
        return made

    def close(self) -> None:
        """Close every connection of every thread; the next use opens a new one."""
        self.before_fork()
        self.after_fork()

    def before_fork(self) -> None:
        """Close every connection: SQLite's bookkeeping of locks, copied into a child, would be wrong in both."""
        self._opening.acquire()
        for held in list(self._all):
            held.close()
        self._all.clear()

    def after_fork(self) -> None:
        """Let connections be opened again."""
        self._opening.release()


class _Mine(threading.local):
    """The connections of one thread, by how long they wait for a lock; closed when the thread ends."""

    def __init__(self) -> None:
        self.connections: dict[float, Connection] = {}


class Connection:
    """One connection, and the lock under which it is used: ``with`` gives it back, and raises what SQLite could not do.

    ``run`` is for statements that return no row. Its cursor is kept, which is cheaper than a new one each time.
    """

    __slots__ = ("__weakref__", "_closed", "_lock", "execute", "run", "sqlite")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.sqlite = connection
        self.execute = connection.execute
        self.run = connection.cursor().execute
        self._lock = threading.Lock()
        self._closed = False

    def taken(self) -> bool:
        """Take it, and return whether it could be: it may have been closed."""
        self._lock.acquire()
        if self._closed:
            self._lock.release()
        return not self._closed

    def __enter__(self) -> Self:
        """Return itself, taken already."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give it back; raise ``SQLiteUnavailable`` in place of SQLite's own errors."""
        self._lock.release()
        if isinstance(raised, sqlite3.Error):
            raise unavailable(raised) from raised

    def close(self) -> None:
        """Close it, when whoever uses it has given it back."""
        with self._lock:
            self._closed = True
            self.sqlite.close()

    def __del__(self) -> None:
        """Close it when its thread has ended."""
        self.sqlite.close()


def unavailable(bad: Exception) -> SQLiteUnavailable:
    """Return what to raise for an error of SQLite, or of the file's."""
    if isinstance(bad, OSError):
        return SQLiteUnavailable(f"SQLite: {bad.strerror}")
    locked = getattr(bad, "sqlite_errorcode", 0) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
    return (Locked if locked else SQLiteUnavailable)(f"SQLite: {bad}")


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


_files: WeakSet[SQLiteFile] = WeakSet()


def _before_fork() -> None:
    _one_fork.acquire()
    _forking.extend(_files)
    for file in _forking:
        file.before_fork()


def _after_fork() -> None:
    for file in _forking:
        file.after_fork()
    _forking.clear()
    _one_fork.release()


_forking: list[SQLiteFile] = []
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
