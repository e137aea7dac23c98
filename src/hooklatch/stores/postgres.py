"""The duplicate memory of teams that have a database and no Redis: PostgreSQL (extra ``postgres``, psycopg 3).

One table, one statement a verb (several keys: one transaction), the server's own clock. Beside the contract,
``commit_in`` marks a delivery as done inside the application's own transaction, so that work and mark stand or fall
together: what is committed is never run again, what is rolled back can be.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any, Final, TypeVar

from hooklatch.errors import ConfigError, NotProven, StoreUnavailable
from hooklatch.stores.faces import Record, Threaded
from hooklatch.types import GRANTED, Claim, Standing, State, Webhook

try:
    import psycopg
    import psycopg_pool
    from psycopg import sql
except ImportError as missing:
    msg = "store: PostgresStore needs psycopg: pip install 'hooklatch[postgres]'"
    raise ConfigError(msg) from missing

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg import Connection
    from psycopg.abc import PQGen

Returned = TypeVar("Returned")

VERSION: Final = 1
SLICES: Final = 4096
SWEEP_EVERY: Final = 16
"""Claims after which the next slice of the key space is swept."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS {table} (
    key bytea PRIMARY KEY, fingerprint bytea NOT NULL, token bytea NOT NULL, done boolean NOT NULL,
    leased_until timestamptz NOT NULL, first_seen timestamptz NOT NULL, expires timestamptz NOT NULL
);
COMMENT ON TABLE {table} IS {comment}
"""
_UPSERT: Final = """
INSERT INTO {{table}} AS known (key, fingerprint, token, done, leased_until, first_seen, expires)
VALUES (%(key)s, %(fingerprint)s, %(token)s, {done}, {leased_until}, clock_timestamp(),
        clock_timestamp() + %(ttl)s * interval '1 second')
ON CONFLICT (key) DO UPDATE SET
    fingerprint = excluded.fingerprint, token = excluded.token, done = excluded.done,
    leased_until = excluded.leased_until, expires = excluded.expires,
    first_seen = CASE WHEN known.expires <= clock_timestamp() THEN excluded.first_seen ELSE known.first_seen END
WHERE known.expires <= clock_timestamp() OR {free}
RETURNING 1
"""
_CREATED_BY_ANOTHER: Final = (
    psycopg.errors.DuplicateObject,
    psycopg.errors.DuplicateTable,
    psycopg.errors.InternalError_,
    psycopg.errors.UniqueViolation,
)
_LEASED: Final = "clock_timestamp() + %(lease)s * interval '1 second'"
_LAPSED: Final = "NOT known.done AND (known.leased_until <= clock_timestamp() OR known.token = excluded.token)"
_CLAIM: Final = _UPSERT.format(
    done="false", leased_until=_LEASED, free=f"(known.fingerprint = excluded.fingerprint AND {_LAPSED})"
)
_RENEW: Final = """
UPDATE {table} SET leased_until = clock_timestamp() + %(lease)s * interval '1 second',
    expires = greatest(expires, clock_timestamp() + %(ttl)s * interval '1 second')
WHERE key = %(key)s AND token = %(token)s AND NOT done AND expires > clock_timestamp()
RETURNING 1
"""
_COMMIT: Final = _UPSERT.format(
    done="true", leased_until="'-infinity'", free=f"known.token = excluded.token OR ({_LAPSED})"
)
_RELEASE: Final = """
UPDATE {table} SET leased_until = '-infinity', token = ''
WHERE key = ANY(%(keys)s) AND token = %(token)s AND NOT done
"""
_LOOK: Final = """
SELECT fingerprint, done, extract(epoch FROM first_seen)::float8
FROM {table} WHERE key = ANY(%(keys)s) AND expires > clock_timestamp()
"""
_SWEEP_SLICE: Final = "DELETE FROM {table} WHERE key >= %s AND key < %s AND expires <= clock_timestamp()"
_SWEEP: Final = "DELETE FROM {table} WHERE expires <= clock_timestamp()"
_FORGET: Final = "DELETE FROM {table} WHERE key = %s"
_INSPECT: Final = """
SELECT key, done, extract(epoch FROM first_seen)::float8,
       CASE WHEN leased_until = '-infinity' THEN 0 ELSE extract(epoch FROM leased_until)::float8 END
FROM {table} WHERE expires > clock_timestamp() ORDER BY first_seen
"""


class PostgresStore:
    """Remembers deliveries in the table *table* of a PostgreSQL database.

    *url*: as libpq has it; *timeout*: seconds any verb may take in all; *connections*: at most so many at once;
    *create*: whether to create the table where it is missing (the first verb does).
    """

    def __init__(
        self,
        url: str,
        *,
        table: str = "hooklatch_delivery",
        timeout: float = 0.5,
        connections: int = 10,
        create: bool = True,
    ) -> None:
        """Raise ``ConfigError`` for a URL that libpq cannot read; the server itself may come up later."""
        try:
            parts = psycopg.conninfo.conninfo_to_dict(url)
        except psycopg.ProgrammingError:
            parts = {"host": "@"}
        # A second @ means that the password holds one: its rest would be taken for the host, and be logged as one.
        if "@" in str(parts.get("host", "")):
            msg = "store: this is no PostgreSQL URL; write postgresql://user@host/database (an @ in a password is %40)"
            raise ConfigError(msg) from None
        self._timeout = timeout
        self._create = create
        self._claims = self._slice = 0
        self._table = table
        self._names = {"table": sql.Identifier(*table.split("."))}
        self._pool = psycopg_pool.ConnectionPool(
            url,
            connection_class=_Bounded,
            kwargs={"autocommit": True, "connect_timeout": max(2, int(timeout)), "application_name": "hooklatch"},
            min_size=0,
            max_size=connections,
            open=True,
            timeout=timeout,
            # Give up a connection attempt at once: the next verb makes a new one, when the server may be back.
            reconnect_timeout=0.05,
        )
        self.aio = Threaded(self)

    def __repr__(self) -> str:
        """Return the table; never the URL, which may hold a password."""
        return f"<PostgresStore {self._table!r}>"

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()

    def claim(self, claim: Claim, /) -> Standing:
        """See ``hooklatch.types.Store``."""
        return self._on_connection(lambda connection: self._claim(connection, claim))

    def renew(self, claim: Claim, /) -> bool:
        """See ``hooklatch.types.Store``."""
        return self._on_connection(lambda connection: self._all(connection, _RENEW, claim))

    def commit(self, claim: Claim, /) -> bool:
        """See ``hooklatch.types.Store``."""
        return self._on_connection(lambda connection: self._all(connection, _COMMIT, claim))

    def release(self, claim: Claim, /) -> None:
        """See ``hooklatch.types.Store``."""
        keys = {"keys": list(claim.keys), "token": claim.token}
        self._on_connection(lambda connection: connection.execute(self._sql(_RELEASE), keys))

    def commit_in(self, connection: Connection[Any], webhook: Webhook) -> None:
        """Mark *webhook* as done in the transaction of *connection*, the application's own (psycopg 3).

        If that transaction rolls back, the mark goes with it. Raises ``NotProven`` where the webhook holds no claim of
        a store, or another worker has taken it over in the meantime: then roll back, for the work is done twice.
        """
        claim = webhook.claim
        if claim is None:
            msg = "this webhook holds no claim: on_duplicate='run', or it came without a store"
            raise NotProven(msg)
        if not _each(connection, self._sql(_COMMIT), claim):
            msg = "another worker has taken this delivery over; roll back"
            raise NotProven(msg)

    def inspect(self) -> Iterator[Record]:
        """Yield what is remembered, for operators; the keys are hashes."""
        rows = self._on_connection(lambda connection: connection.execute(self._sql(_INSPECT)).fetchall())
        for key, done, first_seen, leased_until in rows:
            yield Record(key, done=done, first_seen=first_seen, leased_until=leased_until)

    def forget(self, key: bytes) -> bool:
        """Forget the delivery called *key* (as ``inspect`` shows it); return whether it was known."""
        return self._on_connection(lambda connection: connection.execute(self._sql(_FORGET), (key,)).rowcount > 0)

    def sweep(self) -> int:
        """Delete all expired rows; return how many."""
        return self._on_connection(lambda connection: connection.execute(self._sql(_SWEEP)).rowcount)

    def _claim(self, connection: Connection[Any], claim: Claim) -> Standing:
        if self._all(connection, _CLAIM, claim):
            # The claim is granted; tidying up may fail.
            with contextlib.suppress(psycopg.Error):
                self._sweep_slice(connection)
            return GRANTED
        known = connection.execute(self._sql(_LOOK), {"keys": list(claim.keys)}).fetchall()
        for fingerprint, _, first_seen in known:
            if fingerprint != claim.fingerprint:
                return Standing(State.ALTERED, first_seen)
        for _, done, first_seen in known:
            if done:
                return Standing(State.DONE, first_seen)
        # Whoever held it may have let go since; the sender's next attempt will find out.
        return Standing(State.IN_FLIGHT, min((row[2] for row in known), default=time.time()))

    def _all(self, connection: Connection[Any], statement: str, claim: Claim) -> bool:
        """Run *statement* for every key; return whether all rows gave way, and leave no trace where one did not."""
        query = self._sql(statement)
        if len(claim.keys) == 1:
            return _each(connection, query, claim)
        with connection.transaction() as transaction:
            if _each(connection, query, claim):
                return True
            raise psycopg.Rollback(transaction)
        return False

    def _sweep_slice(self, connection: Connection[Any]) -> None:
        self._claims += 1
        if self._claims % SWEEP_EVERY:
            return
        self._slice = (self._slice + 1) % SLICES
        low, high = (int(place * (1 << 16) / SLICES) for place in (self._slice, self._slice + 1))
        # Keys are hashes, so their first two bytes cut the table into even slices without an index on the time.
        above = high.to_bytes(2, "big") if high < 1 << 16 else b"\xff" * 33
        connection.execute(self._sql(_SWEEP_SLICE), (low.to_bytes(2, "big"), above))

    def _sql(self, statement: str) -> sql.Composed:
        return sql.SQL(statement).format(**self._names, comment=sql.Literal(f"hooklatch, schema {VERSION}"))

    def _on_connection(self, verb: Callable[[Connection[Any]], Returned]) -> Returned:
        """Run *verb* on a connection of the pool within the time limit; once more where the connection was dead."""
        deadline = time.monotonic() + self._timeout
        with _guarded():
            try:
                return self._once(verb, deadline)
            except psycopg.errors.UndefinedTable:
                if not self._create:
                    raise
                deadline += self._timeout
                # Several processes may create the table at the same moment; one of them succeeds.
                with contextlib.suppress(*_CREATED_BY_ANOTHER):
                    self._once(lambda connection: connection.execute(self._sql(_SCHEMA)), deadline)
            except (psycopg.OperationalError, psycopg.InterfaceError) as bad:
                if isinstance(bad, psycopg_pool.PoolTimeout | _Late) or time.monotonic() > deadline:
                    raise
                # The server has been restarted: the other pooled connections are as dead as this one.
                self._pool.check()
            return self._once(verb, deadline)

    def _once(self, verb: Callable[[Connection[Any]], Returned], deadline: float) -> Returned:
        connection = self._pool.getconn(timeout=max(0.001, deadline - time.monotonic()))
        try:
            connection.deadline = deadline
            return verb(connection)
        except _Late:
            connection.close()
            raise
        finally:
            self._pool.putconn(connection)


class _Late(psycopg.OperationalError):
    """The server has not answered in time."""


class _Bounded(psycopg.Connection[Any]):
    """A connection that gives up waiting at ``deadline`` (monotonic seconds), whatever the server does."""

    deadline = float("inf")

    def wait(self, gen: PQGen[Returned], interval: float = 0.05, timeout: float | None = None) -> Returned:
        """Wait for *gen*, looking at the clock every *interval* seconds."""
        return super().wait(_until(gen, self.deadline), interval=min(interval, 0.05), timeout=timeout)


def _until(gen: PQGen[Returned], deadline: float) -> Generator[Any, Any, Returned]:
    ready: Any = None
    while True:
        try:
            state = gen.send(ready)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]
        ready = yield state
        if not ready and time.monotonic() > deadline:
            gen.close()
            msg = "no answer in time"
            raise _Late(msg)


def _each(connection: Connection[Any], query: sql.Composed, claim: Claim) -> bool:
    values = {"fingerprint": claim.fingerprint, "token": claim.token, "lease": claim.lease, "ttl": claim.ttl}
    # Sorted, so that two claims over the same keys cannot wait for each other.
    return all(connection.execute(query, {**values, "key": key}).fetchone() for key in sorted(claim.keys))


@contextlib.contextmanager
def _guarded() -> Iterator[None]:
    try:
        yield
    except (psycopg.Error, psycopg_pool.PoolTimeout) as bad:
        # The driver's own message may quote the address; the kind of failure is all that an answer needs.
        msg = f"PostgreSQL: {type(bad).__name__.lstrip('_')}"
        raise StoreUnavailable(msg) from bad
