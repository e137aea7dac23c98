"""``hooklatch store``: look into a duplicate memory, let one delivery through again, clear what has expired.

A store holds one key per delivery and active secret, so during a rotation a delivery has several; what they are made
from cannot be read back. The second at which a delivery was first seen is what finds it: a duplicate's answer carries
it in ``Hooklatch-Duplicate``.
"""

from __future__ import annotations

import argparse
import contextlib
import heapq
import json
import logging
import os
import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn, Protocol, cast
from urllib.parse import unquote, urlsplit

from hooklatch.cli import UsageError
from hooklatch.errors import StoreUnavailable
from hooklatch.stores import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hooklatch.stores.faces import Record

VARIABLE: Final = "HOOKLATCH_STORE"
ROWS: Final = 20
TIMEOUT: Final = 5.0

_KEY: Final = re.compile(r"(?:[0-9a-fA-F]{2}){1,64}")
_UNITS: Final = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))
_REDIS: Final = frozenset({"redis", "rediss", "unix"})
_POSTGRES: Final = frozenset({"postgresql", "postgres"})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``inspect``, ``forget`` and ``sweep`` to *parser*."""
    # argparse would repeat what stands in the place of the action, which may be a URL with its password.
    parser.error = _no_action  # type: ignore[method-assign]
    shelf = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    summary = "count what is remembered, and list the newest keys"
    inspect = shelf.add_parser("inspect", help=summary, description=f"{summary.capitalize()}.", allow_abbrev=False)
    _add_store(inspect)
    inspect.add_argument("--json", action="store_true", help="print JSON, all times in seconds")
    inspect.add_argument("--limit", type=_count, default=ROWS, metavar="N", help=f"keys to list; default: {ROWS}")
    summary = "let one delivery through again; exit status 1 if a key is unknown"
    forget = shelf.add_parser("forget", help=summary, description=f"{summary.capitalize()}.", allow_abbrev=False)
    _add_store(forget)
    forget.add_argument(
        "key",
        nargs="+",
        type=_key,
        metavar="KEYHEX",
        help="as 'inspect' prints it; during a rotation a delivery has one per secret, so give all of them",
    )
    summary = "delete what has expired"
    sweep = shelf.add_parser("sweep", help=summary, description=f"{summary.capitalize()}.", allow_abbrev=False)
    _add_store(sweep)


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked; return 0, or 1 for a key that ``forget`` does not know; raise ``HooklatchError``."""
    with _opened(arguments) as store:
        try:
            if arguments.action == "inspect":
                return _inspect(store, arguments.limit, as_json=arguments.json)
            if arguments.action == "forget":
                return _forget(store, arguments.key)
            return _sweep(store)
        except StoreUnavailable as bad:
            raise UsageError(_trouble(bad)) from bad


class _Store(Protocol):
    """What an operator asks of a store."""

    def inspect(self) -> Iterator[Record]: ...
    def forget(self, key: bytes) -> bool: ...
    def close(self) -> None: ...


class _Swept(Protocol):
    def sweep(self) -> int: ...


@dataclass
class _Tally:
    """What is counted while the records pass, of which there may be a million."""

    limit: int
    now: float
    done: int = 0
    in_flight: int = 0
    free: int = 0
    oldest: float | None = None
    newest: float | None = None
    _newest: list[tuple[float, bytes, Record]] = field(default_factory=list)

    def add(self, record: Record) -> None:
        state = self.state(record)
        setattr(self, state, getattr(self, state) + 1)
        seen = record.first_seen
        self.oldest = seen if self.oldest is None else min(self.oldest, seen)
        self.newest = seen if self.newest is None else max(self.newest, seen)
        entry = (seen, record.key, record)
        if len(self._newest) < self.limit:
            heapq.heappush(self._newest, entry)
        elif self.limit:
            heapq.heappushpop(self._newest, entry)

    @property
    def total(self) -> int:
        return self.done + self.in_flight + self.free

    def rows(self) -> list[Record]:
        """Return the newest records, the newest first."""
        return [record for _, _, record in sorted(self._newest, reverse=True)]

    def state(self, record: Record) -> str:
        """Return ``free`` for what was released, or whose lease has lapsed."""
        return "done" if record.done else "in_flight" if record.leased_until > self.now else "free"

    def age(self, moment: float) -> float:
        return max(0.0, self.now - moment)

    def lease(self, record: Record) -> float | None:
        return record.leased_until - self.now if self.state(record) == "in_flight" else None


def _inspect(store: _Store, limit: int, *, as_json: bool) -> int:
    tally = _Tally(limit, time.time())
    for record in store.inspect():
        tally.add(record)
    if as_json:
        print(json.dumps(_as_json(tally), indent=2))
        return 0
    print(f"{_plural(tally.total, 'key')}: {tally.done} done, {tally.in_flight} in flight, {tally.free} free")
    for what, moment in (("oldest", tally.oldest), ("newest", tally.newest)):
        if moment is not None:
            print(f"{what}: first seen {_rfc3339(moment)}, {_span(tally.age(moment))} ago")
    rows = tally.rows()
    if rows:
        width = max(3, *(2 * len(record.key) for record in rows))
        print(f"\n{'key':{width}}  {'state':9}  {'first seen':20}  {'age':12}  lease left")
    for record in rows:
        lease, state = tally.lease(record), tally.state(record).replace("_", " ")
        age, left = _span(tally.age(record.first_seen)), "" if lease is None else _span(lease)
        line = f"{record.key.hex():{width}}  {state:9}  {_rfc3339(record.first_seen)}  {age:12}  {left}"
        print(line.rstrip())
    if rows and len(rows) < tally.total:
        print(f"these are the newest {len(rows)} of {tally.total}; --limit N lists more")
    return 0


def _as_json(tally: _Tally) -> dict[str, object]:
    return {
        "keys": tally.total,
        "done": tally.done,
        "in_flight": tally.in_flight,
        "free": tally.free,
        "oldest_age": None if tally.oldest is None else round(tally.age(tally.oldest), 3),
        "newest_age": None if tally.newest is None else round(tally.age(tally.newest), 3),
        "rows": [
            {
                "key": record.key.hex(),
                "state": tally.state(record),
                "first_seen": _rfc3339(record.first_seen),
                "age": round(tally.age(record.first_seen), 3),
                "lease_left": None if (lease := tally.lease(record)) is None else round(lease, 3),
            }
            for record in tally.rows()
        ],
    }


def _forget(store: _Store, keys: list[bytes]) -> int:
    status = 0
    for key in dict.fromkeys(keys):
        known = store.forget(key)
        print(f"{'forgotten' if known else 'unknown'}: {key.hex()}")
        status = status if known else 1
    return status


def _sweep(store: _Store) -> int:
    if not hasattr(store, "sweep"):
        print("nothing to sweep: Redis deletes by itself what has expired")
        return 0
    print(f"swept: {_plural(cast('_Swept', store).sweep(), 'expired key')}")
    return 0


def _add_store(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--store",
        metavar="URL",
        help="sqlite:///path, redis://host/0, postgresql://host/database; without it: "
        f"${VARIABLE}, which is the place for a URL with a password",
    )
    parser.add_argument("--namespace", help="of a RedisStore, where the application names one")
    parser.add_argument("--table", help="of a PostgresStore, where the application names one")
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=TIMEOUT,
        metavar="SECONDS",
        help=f"how long a server may take to answer; default: {TIMEOUT:g}",
    )


@contextlib.contextmanager
def _opened(arguments: argparse.Namespace) -> Iterator[_Store]:
    """Open the store that was named, close it at the end; raise ``UsageError`` or ``ConfigError``, never its URL."""
    url = os.environ.get(VARIABLE, "") if arguments.store is None else arguments.store
    if not url:
        msg = f"no store: name it with --store URL, or set {VARIABLE} in the environment"
        raise UsageError(msg)
    scheme, separator, _ = url.partition("://")
    if not separator:
        msg = "store: this is no URL; write sqlite:///path, redis://host/0 or postgresql://host/database"
        raise UsageError(msg)
    for option, schemes in (("namespace", _REDIS), ("table", _POSTGRES)):
        if getattr(arguments, option) and scheme not in schemes:
            msg = f"--{option}: {'Redis' if option == 'namespace' else 'PostgreSQL'} alone has one"
            raise UsageError(msg)
    store = cast("_Store", _made(url, scheme, arguments))
    try:
        yield store
    finally:
        store.close()


def _made(url: str, scheme: str, arguments: argparse.Namespace) -> object:
    if scheme == "memory":
        msg = "memory:// lives in the process of the application, where no other process can look"
        raise UsageError(msg)
    if scheme == "sqlite":
        _demand_store(Path(unquote(urlsplit(url).path)[1:]))
    if scheme in _REDIS:
        from hooklatch.stores import RedisStore  # noqa: PLC0415 - a client that may not be installed

        return RedisStore(url=url, namespace=arguments.namespace or "hooklatch", timeout=arguments.timeout)
    if scheme in _POSTGRES:
        from hooklatch.stores import PostgresStore  # noqa: PLC0415 - a client that may not be installed

        # The pool reports every attempt to connect, and in its own words; the last line is ours.
        logging.getLogger("psycopg.pool").addHandler(logging.NullHandler())
        table = {"table": arguments.table} if arguments.table else {}
        return PostgresStore(url, timeout=arguments.timeout, create=False, **table)
    return open_store(url)


def _demand_store(path: Path) -> None:
    """Raise ``UsageError`` unless a store's file is at *path*: to look must neither create one nor alter another's."""
    import sqlite3  # noqa: PLC0415 - not for who has no such store

    if path == Path():
        return  # open_store says how a URL is written
    if not path.is_file():
        msg = f"{path}: there is no such file"
        raise UsageError(msg)
    query = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'delivery'"
    try:
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)) as connection:
            known = connection.execute(query).fetchone()[0] and connection.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.Error as bad:
        msg = f"{path}: {bad}"
        raise UsageError(msg) from bad
    if not known:
        msg = f"{path}: a SQLite file, but no store"
        raise UsageError(msg)


def _trouble(bad: StoreUnavailable) -> str:
    if type(bad.__cause__).__name__ == "UndefinedTable":
        return "the database has no such table: nothing was claimed there yet, or it has another name (--table)"
    return f"the store cannot be used: {bad.args[0] if bad.args else bad.reason}"


def _no_action(message: str) -> NoReturn:  # noqa: ARG001 - it may hold a password
    msg = "store: say inspect, forget or sweep first; see 'hooklatch store --help'"
    raise UsageError(msg)


def _key(text: str) -> bytes:
    if not _KEY.fullmatch(text):
        msg = "a key is hex, as 'hooklatch store inspect' prints it"
        raise argparse.ArgumentTypeError(msg)
    return bytes.fromhex(text)


def _count(text: str) -> int:
    if not re.fullmatch("[0-9]{1,9}", text):
        msg = "say a whole number"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


def _seconds(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,5}(\.[0-9]{1,3})?", text) or float(text) == 0:
        msg = "say seconds, over 0"
        raise argparse.ArgumentTypeError(msg)
    return float(text)


def _rfc3339(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _span(seconds: float) -> str:
    """Return *seconds* in its two largest units."""
    rest = int(seconds)
    words: list[str] = []
    for size, unit in _UNITS:
        count, rest = divmod(rest, size)
        if count or (size == 1 and not words):
            words.append(f"{count} {unit}")
        elif words:
            break
    return " ".join(words[:2])


def _plural(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
