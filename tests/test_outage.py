"""Stores that die, hang, lock, fill up and come back, under one application object that lives through it all.

The last section is also what a process of its own runs: see ``main``.
"""

from __future__ import annotations

import contextlib
import gc
import json
import logging
import os
import re
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import traceback
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import psycopg
import pytest
import redis
import redis.asyncio
from anyio import to_thread

from hooklatch import ConfigError, Delivery
from hooklatch.errors import NotProven, StoreUnavailable
from hooklatch.providers import GITHUB, STRIPE
from hooklatch.stores import PostgresStore, RedisStore, SQLiteStore, as_async, fallback, open_store
from hooklatch.testing import Answered, call_asgi, call_wsgi
from hooklatch.types import Claim, State, Store, Webhook
from hooklatch.wsgi import WebhookMiddleware
from services import PostgresServer, RedisServer, Server, free_port
from worlds import NOW, Endpoint, make_endpoint, world_names

SECRET = "the-secret-of-this-route"
PASSWORD = "hunter2"
HOOK = "/hooks/github"
LEASE = 1.0

LIMIT = 2.0
"""Seconds within which every answer must be there, on a machine that is busy."""
QUARTER = 1.25
"""Seconds: a quarter of the time that Momento and Shopify give us; at least one of several answers must keep it."""
GAP = 0.5
"""Seconds for which an event loop may stand still, on a machine that is busy."""
PATIENCE = 60.0


def push(event: object) -> Delivery:
    return GITHUB.sign(json.dumps({"event": event}).encode(), secret=SECRET, url=HOOK)


def charge(event: str) -> Delivery:
    return STRIPE.sign(json.dumps({"id": event}).encode(), secret=SECRET, url=HOOK, at=NOW)


def wish(name: str, *names: str) -> Claim:
    keys = tuple(given.encode().ljust(32, b".") for given in (name, *names))
    return Claim(keys, b"f" * 32, 60, 600, os.urandom(16), 60)


def routes(**options: Any) -> dict[str, Any]:
    return {HOOK: GITHUB.chain(SECRET, lease=LEASE, **options)}


@dataclass
class Traffic:
    """One endpoint in one world, posted to from one event loop that outlives every outage."""

    world: str
    store: Store
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.endpoint: Endpoint = make_endpoint(
            self.world, **{"routes": routes(), "store": self.store, **self.settings}
        )

    async def post(self, delivery: Delivery) -> Answered:
        if self.world == "wsgi":
            return await to_thread.run_sync(self.endpoint.post, delivery)
        return await call_asgi(self.endpoint.app, delivery)

    async def refused(self, delivery: Delivery) -> float:
        """Post while the store is away; return how long the 503 took."""
        began = time.monotonic()
        answer = await self.post(delivery)
        seconds = time.monotonic() - began
        assert (answer.status, self.endpoint.reason) == (503, "store_unavailable")
        assert int(answer.header("retry-after") or 0) > 0
        assert seconds < LIMIT
        return seconds

    async def works_again(self, delivery: Delivery, *, within: float) -> None:
        """Post until the application has run; nothing else than a 409 or a 503 may come before."""
        deadline = time.monotonic() + within
        while (status := (await self.post(delivery)).status) != 200:
            assert status in {409, 503}
            assert time.monotonic() < deadline, status
            await anyio.sleep(0.05)

    @property
    def ran(self) -> list[object]:
        """The events that the application has seen."""
        return [event for seen in self.endpoint.calls for event in json.loads(seen.body).values()]

    @property
    def duplicates(self) -> str:
        """What the last webhook says of the memory that was asked for it."""
        return self.endpoint.last.duplicates

    def run(self, scenario: Callable[[], Awaitable[object]]) -> None:
        async def bounded() -> None:
            with anyio.fail_after(PATIENCE):
                await scenario()
            close = getattr(as_async(self.store), "aclose", None)
            if close is not None and self.world == "asyncio":
                await close()

        anyio.run(bounded, backend="trio" if self.world == "trio" else "asyncio")


@contextlib.asynccontextmanager
async def ticking() -> AsyncIterator[list[float]]:
    """Tick beside what is done meanwhile; yield the seconds between two ticks."""
    gaps: list[float] = [0.0]

    async def tick() -> None:
        last = time.monotonic()
        while True:
            await anyio.sleep(0.01)
            now = time.monotonic()
            gaps.append(now - last)
            last = now

    async with anyio.create_task_group() as group:
        group.start_soon(tick)
        yield gaps
        group.cancel_scope.cancel()


def restart(server: Server) -> None:
    """Start *server* again; PostgreSQL refuses while a child of the killed one is still there."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            server.start()
        except AssertionError:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        else:
            return


def as_it_was(server: Server) -> None:
    if server._process is None:
        restart(server)
    else:
        server.wake()


@pytest.fixture(scope="module")
def own_redis() -> Iterator[RedisServer]:
    server = RedisServer()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[PostgresServer]:
    server = PostgresServer()
    yield server
    server.kill()


@pytest.fixture
def redis_server(own_redis: RedisServer) -> Iterator[RedisServer]:
    yield own_redis
    as_it_was(own_redis)


@pytest.fixture
def postgres_server(own_postgres: PostgresServer) -> Iterator[PostgresServer]:
    yield own_postgres
    as_it_was(own_postgres)


def new_redis_store(server: RedisServer) -> RedisStore:
    return RedisStore(url=server.url, namespace=f"test-{uuid.uuid4()}")


@pytest.fixture
def postgres_store(postgres_server: PostgresServer) -> Iterator[PostgresStore]:
    store = PostgresStore(postgres_server.url, table=f"test_{uuid.uuid4().hex}")
    yield store
    store.close()


@pytest.fixture(params=["wsgi-redis", "asyncio-redis", "trio-redis", "wsgi-postgres", "asyncio-postgres"])
def served(request: pytest.FixtureRequest) -> Iterator[tuple[Traffic, Server]]:
    """Traffic to an endpoint whose store is a server, and that server."""
    world, _, service = request.param.partition("-")
    server = request.getfixturevalue(f"{service}_server")
    store = new_redis_store(server) if service == "redis" else request.getfixturevalue("postgres_store")
    yield Traffic(world, store), server
    store.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deliveries.db"


# Servers that die and hang


def test_a_store_killed_in_the_middle_of_traffic_is_503_and_works_again_after_its_restart(
    served: tuple[Traffic, Server],
) -> None:
    traffic, server = served

    async def scenario() -> None:
        assert (await traffic.post(push(1))).status == 200
        await to_thread.run_sync(server.kill)
        seconds = [await traffic.refused(push(event)) for event in (2, 3)]
        assert min(seconds) < QUARTER
        await to_thread.run_sync(restart, server)
        await traffic.works_again(push(2), within=LEASE + 3)
        assert (await traffic.post(push(2))).status == 200
        assert (await traffic.post(push(4))).status == 200
        assert traffic.ran == [1, 2, 4]

    traffic.run(scenario)


def test_a_store_that_hangs_is_503_in_time_blocks_no_event_loop_and_works_again_when_it_wakes(
    served: tuple[Traffic, Server],
) -> None:
    traffic, server = served

    async def scenario() -> None:
        assert (await traffic.post(push(1))).status == 200
        await to_thread.run_sync(server.hang)
        seconds: list[float] = []

        async def refused(event: int) -> None:
            seconds.append(await traffic.refused(push(event)))

        async with ticking() as gaps:
            for events in ((2, 3, 4), (5,)):
                async with anyio.create_task_group() as group:
                    for event in events:
                        group.start_soon(refused, event)
        assert max(gaps) < GAP
        assert min(seconds) < QUARTER
        await to_thread.run_sync(server.wake)
        # A claim that lay in the server's socket may be granted to nobody now; its lease frees it.
        await traffic.works_again(push(2), within=LEASE + 4)
        assert (await traffic.post(push(1))).status == 200
        assert traffic.ran == [1, 2]

    traffic.run(scenario)


@contextlib.asynccontextmanager
async def hanging(server: Server) -> AsyncIterator[None]:
    await to_thread.run_sync(server.hang)
    yield
    await to_thread.run_sync(server.wake)


@contextlib.asynccontextmanager
async def locked(path: Path) -> AsyncIterator[None]:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("COMMIT")


@pytest.mark.parametrize("kind", ["postgres", "sqlite"])
def test_a_crowd_before_a_store_that_hangs_is_503_in_time_and_leaves_threads_to_the_application(
    request: pytest.FixtureRequest, path: Path, kind: str
) -> None:
    """These stores wait in threads, of which an event loop has forty unless told otherwise."""
    store: PostgresStore | SQLiteStore
    if kind == "postgres":
        store = request.getfixturevalue("postgres_store")
        away = hanging(request.getfixturevalue("postgres_server"))
    else:
        store = SQLiteStore(path)
        away = locked(path)
    traffic = Traffic("asyncio", store)
    began = ended = 0.0

    async def application() -> None:
        nonlocal began, ended
        await anyio.sleep(0.2)
        began = time.monotonic()
        await to_thread.run_sync(time.monotonic)
        ended = time.monotonic()

    async def scenario() -> None:
        assert (await traffic.post(push(0))).status == 200
        async with away, anyio.create_task_group() as group:
            for event in range(1, 101):
                group.start_soon(traffic.refused, push(event))
            group.start_soon(application)
        assert 0 < ended - began < GAP

    traffic.run(scenario)
    store.close()


def test_a_postgresql_that_was_away_for_long_is_used_again_soon_after_its_return(
    postgres_server: PostgresServer, postgres_store: PostgresStore
) -> None:
    traffic = Traffic("wsgi", postgres_store)

    async def scenario() -> None:
        assert (await traffic.post(push(1))).status == 200
        await to_thread.run_sync(postgres_server.kill)
        returns = time.monotonic() + 8
        while time.monotonic() < returns:
            assert (await traffic.post(push(2))).status == 503
        await to_thread.run_sync(restart, postgres_server)
        await traffic.works_again(push(2), within=3)
        assert (await traffic.post(push(1))).status == 200
        assert traffic.ran == [1, 2]

    traffic.run(scenario)


def test_a_commit_that_fails_leaves_the_2xx_is_logged_and_its_delivery_is_a_duplicate_to_this_process(
    served: tuple[Traffic, Server], caplog: pytest.LogCaptureFixture
) -> None:
    traffic, server = served

    def die() -> None:
        traffic.endpoint.during = lambda: None
        server.kill()

    async def scenario() -> None:
        assert (await traffic.post(push(0))).status == 200
        traffic.endpoint.during = die
        began = time.monotonic()
        assert (await traffic.post(push(1))).status == 200
        assert time.monotonic() - began < LIMIT
        assert "commit_failed" in caplog.text
        for up in (False, True):
            if up:
                await to_thread.run_sync(restart, server)
            again = await traffic.post(push(1))
            assert (again.status, again.body, traffic.endpoint.reason) == (200, b"", "duplicate")
            assert again.header("hooklatch-duplicate") is not None
        await traffic.works_again(push(2), within=LEASE + 3)
        assert traffic.ran == [0, 1, 2]

    traffic.run(scenario)


class Forgetful:
    """A store whose commits fail when told."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.down = True
        self.claim, self.renew, self.release = store.claim, store.renew, store.release

    def commit(self, claim: Claim, /) -> bool:
        if self.down:
            msg = "down"
            raise StoreUnavailable(msg)
        return self._store.commit(claim)


@pytest.mark.parametrize("world", world_names())
def test_after_one_failed_commit_all_that_the_store_grants_goes_on(
    world: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fallback, "LOCAL", 5)
    sqlite = SQLiteStore(tmp_path / "deliveries.db")
    store = Forgetful(sqlite)
    made = make_endpoint(world, routes=routes(), store=store)
    assert made.post(push(0)).status == 200
    store.down = False
    assert [made.post(push(event)).status for event in range(1, 21)] == [200] * 20
    assert (made.post(push(0)).status, len(made.calls)) == (200, 21)
    sqlite.close()


# Failing open


@pytest.mark.parametrize("world", world_names())
def test_failing_open_decides_alone_while_the_store_is_down_says_so_and_asks_it_again_afterwards(
    world: str, redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    store = new_redis_store(redis_server)
    traffic = Traffic(world, store, {"routes": {HOOK: STRIPE.chain(SECRET)}, "fail_open": True})

    async def scenario() -> None:
        assert (await traffic.post(charge("a"))).status == 200
        assert traffic.duplicates == "checked"
        await to_thread.run_sync(redis_server.kill)
        for event in ("b", "c"):
            assert (await traffic.post(charge(event))).status == 200
            assert traffic.duplicates == "unchecked"
            again = await traffic.post(charge(event))
            assert (again.status, again.body, traffic.endpoint.reason) == (200, b"", "duplicate")
        assert [record.levelname for record in caplog.records if "fail_open" in record.getMessage()] == ["ERROR"]
        await to_thread.run_sync(restart, redis_server)
        assert (await traffic.post(charge("b"))).status == 200
        assert (await traffic.post(charge("d"))).status == 200
        assert traffic.duplicates == "checked"
        assert traffic.ran == ["a", "b", "c", "d"]

    traffic.run(scenario)
    store.close()


@pytest.mark.parametrize("world", world_names())
def test_failing_open_gives_a_failed_delivery_back(world: str, redis_server: RedisServer) -> None:
    store = new_redis_store(redis_server)
    traffic = Traffic(world, store, {"routes": {HOOK: STRIPE.chain(SECRET)}, "fail_open": True})
    traffic.endpoint.statuses = [500, 200]

    async def scenario() -> None:
        await to_thread.run_sync(redis_server.kill)
        assert [(await traffic.post(charge("a"))).status for _ in range(3)] == [500, 200, 200]
        assert traffic.ran == ["a", "a"]

    traffic.run(scenario)
    store.close()


@pytest.mark.parametrize("world", world_names())
def test_failing_open_without_a_signed_time_is_a_config_error_unless_it_is_called_unsafe(world: str) -> None:
    store = RedisStore(url=f"redis://127.0.0.1:{free_port()}/0")
    for chain in (GITHUB.chain(SECRET), STRIPE.chain(SECRET, max_age=None)):
        with pytest.raises(ConfigError, match="signed time"):
            make_endpoint(world, routes={HOOK: chain}, store=store, fail_open=True)
    traffic = Traffic(world, store, {"fail_open": "unsafe"})

    async def scenario() -> None:
        assert [(await traffic.post(push(1))).status for _ in range(2)] == [200, 200]
        assert (traffic.ran, traffic.duplicates) == ([1], "unchecked")

    traffic.run(scenario)


# Passwords


def told(url: str, caplog: pytest.LogCaptureFixture) -> str:
    """Return all that anybody can read of a store at *url* that cannot be used."""
    caplog.set_level(logging.DEBUG)
    texts: list[str] = []
    try:
        store = open_store(url)
    except ConfigError as bad:
        texts += traceback.format_exception(bad)
    else:
        traffic = Traffic("asyncio", store)
        with pytest.raises(StoreUnavailable) as caught:
            store.claim(wish("a"))
        texts += traceback.format_exception(caught.value)
        traffic.run(lambda: traffic.refused(push(1)))
        texts += map(repr, (store, as_async(store), traffic.endpoint.app, traffic.endpoint.events))
        close: Callable[[], None] = getattr(store, "close", lambda: None)
        close()
    return "".join([*texts, caplog.text])


@pytest.mark.parametrize(
    "url",
    [
        "redis:hunter2@host",
        "redis:/:hunter2@host/0",
        "rediss//:hunter2@host/0",
        "redis://:hunter2@host:port/0",
        "redis://user:hunter2@[::1/0",
        "redis://:x/hunter2@host/0",
        "redis://:hunter2@host/0?socket_timeout=abc",
        "memory://user:hunter2@host",
        "mysql://user:hunter2@host/database",
        "sqlite://user:hunter2@host/path",
        "postgresql:/user:hunter2@host/database",
        "postgresql://user:hunter2@host/database?bogus=1",
        "postgresql://user:%hunter2@host/database",
        "postgresql://user:hunter2@[::1/database",
        "postgresql://user:hunter2/x@127.0.0.1/database",
        "postgresql://user:x@hunter2@127.0.0.1/database",
    ],
)
def test_a_url_that_cannot_be_read_never_shows_its_password(url: str, caplog: pytest.LogCaptureFixture) -> None:
    assert PASSWORD not in told(url, caplog)


@pytest.mark.parametrize("scheme", ["redis", "rediss", "postgresql"])
def test_a_host_where_no_server_listens_never_shows_a_password(scheme: str, caplog: pytest.LogCaptureFixture) -> None:
    assert PASSWORD not in told(f"{scheme}://user:{PASSWORD}@127.0.0.1:{free_port()}/0", caplog)


def test_a_password_that_redis_does_not_accept_is_never_shown(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    with redis.Redis(port=redis_server.port) as operator:
        operator.config_set("requirepass", "another-one")
        try:
            for user in ("", "user"):
                shown = told(f"redis://{user}:{PASSWORD}@127.0.0.1:{redis_server.port}/0", caplog)
                assert PASSWORD not in shown
            assert PASSWORD not in told(f"rediss://:{PASSWORD}@127.0.0.1:{redis_server.port}/0", caplog)
        finally:
            operator.config_set("requirepass", "")


def test_a_password_that_postgresql_does_not_accept_is_never_shown(
    postgres_server: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    with psycopg.connect(postgres_server.url, autocommit=True) as operator:
        operator.execute("CREATE ROLE guarded LOGIN PASSWORD 'another-one'")
        (found,) = operator.execute("SHOW hba_file").fetchone() or ("",)
        with Path(found).open("r+") as file:
            rules = file.read()
            file.seek(0)
            file.write(f"host all guarded 127.0.0.1/32 scram-sha-256\n{rules}")
        operator.execute("SELECT pg_reload_conf()")
    address = f"127.0.0.1:{postgres_server.port}/postgres"
    right = f"postgresql://guarded:another-one@{address}"
    deadline = time.monotonic() + PATIENCE
    while psycopg_refuses(right) or not psycopg_refuses(right.replace("another-one", "x")):
        assert time.monotonic() < deadline
    shown = told(f"postgresql://guarded:{PASSWORD}@{address}", caplog)
    assert PASSWORD not in shown
    assert "StoreUnavailable" in shown


def psycopg_refuses(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return True
    return False


def test_an_option_in_the_url_that_the_redis_client_does_not_know_is_a_config_error() -> None:
    with pytest.raises(ConfigError):
        open_store("redis://127.0.0.1:1/0?bogus=1")


# SQLite


@pytest.mark.parametrize("world", world_names())
def test_a_locked_file_is_503_in_time_blocks_no_event_loop_and_works_when_it_is_free(world: str, path: Path) -> None:
    store = SQLiteStore(path)
    traffic = Traffic(world, store)

    async def scenario() -> None:
        assert (await traffic.post(push(1))).status == 200
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            async with ticking() as gaps:
                seconds = [await traffic.refused(push(event)) for event in (2, 3)]
            assert max(gaps) < GAP
            assert min(seconds) < QUARTER
            other.execute("COMMIT")
        assert (await traffic.post(push(2))).status == 200
        assert (await traffic.post(push(1))).status == 200
        assert traffic.ran == [1, 2]

    traffic.run(scenario)
    store.close()


def test_threads_that_end_leave_no_connection_open(path: Path) -> None:
    store = SQLiteStore(path)
    claimed: list[State] = []
    for number in range(50):
        thread = threading.Thread(
            target=lambda name: claimed.append(store.claim(wish(name)).state), args=(str(number),)
        )
        thread.start()
        thread.join()
    assert claimed == [State.GRANTED] * 50
    gc.collect()
    opened = [file for file in map(resolved, Path("/proc/self/fd").iterdir()) if file.startswith(str(path))]
    assert len(opened) < 10
    store.close()


def resolved(link: Path) -> str:
    with contextlib.suppress(FileNotFoundError):
        return str(link.readlink())
    return ""


@pytest.mark.parametrize("world", ["asyncio", "trio"])
def test_a_file_that_is_locked_for_a_moment_is_waited_for(world: str, path: Path) -> None:
    store = SQLiteStore(path, timeout=30)
    traffic = Traffic(world, store)

    async def scenario() -> None:
        statuses: list[int] = []

        async def post() -> None:
            statuses.append((await traffic.post(push(1))).status)

        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            async with ticking() as gaps, anyio.create_task_group() as group:
                group.start_soon(post)
                await anyio.sleep(0.4)
                assert statuses == []
                other.execute("COMMIT")
            assert max(gaps) < GAP
        assert (statuses, traffic.ran) == ([200], [1])

    traffic.run(scenario)
    store.close()


def test_the_file_its_log_and_its_index_are_their_owners_alone_whatever_the_umask(path: Path) -> None:
    umask = os.umask(0)
    try:
        store = SQLiteStore(path)
        store.claim(wish("a"))
        modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    finally:
        os.umask(umask)
    assert modes == {path.name: 0o600, f"{path.name}-wal": 0o600, f"{path.name}-shm": 0o600}
    store.close()


def test_a_file_that_others_could_read_becomes_its_owners_alone(path: Path) -> None:
    path.touch(0o644)
    path.chmod(0o644)
    SQLiteStore(path).close()
    assert path.stat().st_mode & 0o777 == 0o600


def symlink(path: Path) -> None:
    target = path.with_name("elsewhere.db")
    SQLiteStore(target).close()
    path.symlink_to(target)


def dangling_symlink(path: Path) -> None:
    path.symlink_to(path.with_name("nothing.db"))


def missing_folder(path: Path) -> None:
    path.parent.rmdir()


def world_writable_folder(path: Path) -> None:
    path.parent.chmod(0o777)


def newer_schema(path: Path) -> None:
    SQLiteStore(path).close()
    with contextlib.closing(sqlite3.connect(path)) as later:
        later.execute("PRAGMA user_version = 99")


def no_database(path: Path) -> None:
    path.write_bytes(b"a letter to my landlord\n" * 100)


def folder(path: Path) -> None:
    path.mkdir()


UNUSABLE = [symlink, dangling_symlink, missing_folder, world_writable_folder, newer_schema, no_database, folder]


@pytest.mark.parametrize("prepare", UNUSABLE)
def test_a_path_that_is_not_safe_or_no_store_is_a_config_error(path: Path, prepare: Callable[[Path], None]) -> None:
    prepare(path)
    with pytest.raises(ConfigError, match="store"):
        SQLiteStore(path)
    with pytest.raises(ConfigError, match="store"):
        open_store(f"sqlite:///{path}")


def test_a_folder_that_all_may_write_to_but_only_owners_may_delete_in_is_accepted(path: Path) -> None:
    path.parent.chmod(0o1777)
    store = SQLiteStore(path)
    assert store.claim(wish("a")).state is State.GRANTED
    store.close()


def test_a_full_disk_is_503_and_what_was_refused_runs_when_there_is_room_again(path: Path) -> None:
    finished = run("fill", str(path))
    assert (finished.returncode, finished.stderr) == (0, "")
    statuses, ran, again, ran_in_all = json.loads(finished.stdout)
    assert set(statuses) == {200, 503}
    assert ran == statuses.count(200)
    assert again == [200] * len(statuses)
    assert ran_in_all == len(statuses)


def fill(path: str) -> None:
    """Post to a disk that fills up, then once more when it has room."""
    logging.disable()
    made = make_endpoint("wsgi", routes=routes(), store=SQLiteStore(path, timeout=5))
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, most))
    statuses = [made.post(push(event)).status for event in range(50)]
    ran = len(made.calls)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    again = [made.post(push(event)).status for event in range(50)]
    sys.stdout.write(json.dumps([statuses, ran, again, len(made.calls)]))


def filled(path: Path) -> SQLiteStore:
    """Return a store of some hundred deliveries that has read the first pages of its file and no others."""
    store = SQLiteStore(path)
    for number in range(300):
        store.claim(wish(str(number)))
    store.close()
    assert not store.forget(bytes(32))
    return store


def overwrite(path: Path, start: int) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(start)
        file.write(b"\xa5" * (size - start))


def test_a_file_corrupted_under_an_open_connection_is_store_unavailable(path: Path) -> None:
    store = filled(path)
    overwrite(path, 4096)
    for verb in (store.claim, store.renew, store.commit):
        with pytest.raises(StoreUnavailable):
            verb(wish("new"))
    with pytest.raises(StoreUnavailable):
        list(store.inspect())
    store.close()


def from_a_new_thread(verb: Callable[[], object]) -> object:
    with ThreadPoolExecutor(1) as worker:
        return worker.submit(verb).result(PATIENCE)


def corrupt(path: Path) -> None:
    overwrite(path, 0)


def remove_folder(path: Path) -> None:
    for file in path.parent.iterdir():
        file.unlink()
    path.parent.rmdir()


def upgrade(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as later:
        later.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize("spoil", [corrupt, remove_folder, upgrade])
def test_a_file_spoilt_at_run_time_is_503_in_a_thread_that_opens_it_only_then(
    path: Path, spoil: Callable[[Path], None]
) -> None:
    store = filled(path)
    made = make_endpoint("wsgi", routes=routes(), store=store)
    spoil(path)
    answer = from_a_new_thread(lambda: made.post(push(1)))
    assert isinstance(answer, Answered)
    assert (answer.status, made.reason, made.calls) == (503, "store_unavailable", [])
    store.close()


# Redis


@pytest.mark.parametrize("world", world_names())
def test_a_server_that_has_forgotten_its_scripts_is_taught_them_again(world: str, redis_server: RedisServer) -> None:
    store = new_redis_store(redis_server)
    traffic = Traffic(world, store)
    traffic.endpoint.statuses = [200, 500, 200]

    async def scenario() -> None:
        with redis.Redis(port=redis_server.port) as operator:
            traffic.endpoint.during = operator.script_flush
            for event, status in ((1, 200), (2, 500), (2, 200), (1, 200), (2, 200)):
                operator.script_flush()
                assert (await traffic.post(push(event))).status == status
            assert traffic.ran == [1, 2, 2]

    traffic.run(scenario)
    store.close()


@pytest.mark.parametrize("world", world_names())
@pytest.mark.parametrize(
    ("memory", "policy", "warned"),
    [("100mb", "allkeys-lru", True), ("100mb", "noeviction", False), ("0", "allkeys-lru", False)],
)
def test_a_server_that_may_evict_deliveries_is_warned_of_once(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture, world: str, memory: str, policy: str, *, warned: bool
) -> None:
    store = new_redis_store(redis_server)
    traffic = Traffic(world, store)

    async def scenario() -> None:
        for event in (1, 2):
            assert (await traffic.post(push(event))).status == 200

    with redis.Redis(port=redis_server.port) as operator:
        operator.config_set("maxmemory", memory)
        operator.config_set("maxmemory-policy", policy)
        try:
            traffic.run(scenario)
        finally:
            operator.config_set("maxmemory", "0")
            operator.config_set("maxmemory-policy", "noeviction")
    assert sum("evict" in record.getMessage() for record in caplog.records) == warned
    store.close()


@pytest.mark.parametrize("world", world_names())
@pytest.mark.parametrize("decoding", [False, True])
def test_a_plain_client_of_ones_own_works_in_every_world(
    redis_server: RedisServer, world: str, *, decoding: bool
) -> None:
    with redis.Redis(port=redis_server.port, decode_responses=decoding) as client:
        store = RedisStore(client, namespace=f"test-{uuid.uuid4()}")
        traffic = Traffic(world, store)
        traffic.endpoint.statuses = [500, 200]

        async def scenario() -> None:
            assert [(await traffic.post(push(1))).status for _ in range(3)] == [500, 200, 200]
            assert traffic.ran == [1, 1]

        traffic.run(scenario)
        store.close()
        # It is not ours to close.
        assert client.ping()


@pytest.mark.parametrize("decoding", [False, True])
def test_an_asynchronous_client_of_ones_own_works_on_asyncio(redis_server: RedisServer, *, decoding: bool) -> None:
    async def scenario() -> None:
        async with redis.asyncio.Redis(port=redis_server.port, decode_responses=decoding) as client:
            traffic = Traffic("asyncio", RedisStore(client, namespace=f"test-{uuid.uuid4()}"))
            traffic.endpoint.statuses = [500, 200]
            assert [(await traffic.post(push(1))).status for _ in range(3)] == [500, 200, 200]
            assert traffic.ran == [1, 1]

    anyio.run(scenario)


def test_an_asynchronous_client_cannot_serve_a_synchronous_application_and_that_is_a_config_error() -> None:
    client = redis.asyncio.Redis(port=1)
    with pytest.raises(ConfigError):
        make_endpoint("wsgi", routes=routes(), store=RedisStore(client))


# PostgreSQL


def test_of_several_workers_that_create_the_table_at_once_all_work(postgres_server: PostgresServer) -> None:
    for _ in range(8):
        table = f"test_{uuid.uuid4().hex}"
        stores = [PostgresStore(postgres_server.url, table=table, timeout=20) for _ in range(6)]
        gate = threading.Barrier(len(stores))

        def work(store: PostgresStore, gate: threading.Barrier = gate) -> State:
            store._on_connection(lambda connection: connection.execute("SELECT 1"))
            gate.wait(PATIENCE)
            return store.claim(wish("a", "b")).state

        with ThreadPoolExecutor(len(stores)) as workers:
            states = list(workers.map(work, stores))
        for store in stores:
            store.close()
        assert sorted(state.value for state in states) == ["granted", *["in_flight"] * (len(stores) - 1)]


@dataclass
class Ledger:
    """An application that does its work and marks the delivery in one transaction."""

    url: str
    table: str
    store: PostgresStore
    inside: Callable[[], object] = lambda: None
    """Called with work and mark in the open transaction."""
    after: Callable[[], object] = lambda: None
    """Called after its commit, before the answer."""
    before: Callable[[], object] = lambda: None
    """Called before the work."""
    failures: list[Exception] = field(default_factory=list)

    def __post_init__(self) -> None:
        with psycopg.connect(self.url) as connection:
            connection.execute(f"CREATE TABLE IF NOT EXISTS work_{self.table} (body bytea)".encode())

    def __call__(self, environ: Any, start_response: Any) -> list[bytes]:
        self.before()
        try:
            self._work(environ["wsgi.input"].read(), environ["hooklatch.webhook"])
        except Exception as bad:  # noqa: BLE001 - handed to the test
            self.failures.append(bad)
            start_response("500 Internal Server Error", [])
            return []
        self.after()
        start_response("204 No Content", [])
        return []

    def _work(self, body: bytes, webhook: Webhook) -> None:
        with psycopg.connect(self.url) as connection:
            connection.execute(f"INSERT INTO work_{self.table} VALUES (%s)".encode(), (body,))
            self.store.commit_in(connection, webhook)
            self.inside()

    def latched(self, **options: Any) -> WebhookMiddleware:
        return WebhookMiddleware(self, routes=routes(**options), store=self.store)

    @property
    def done(self) -> list[bytes]:
        with psycopg.connect(self.url) as connection:
            return [bytes(row[0]) for row in connection.execute(f"SELECT body FROM work_{self.table}".encode())]


@pytest.fixture
def ledger(postgres_server: PostgresServer, postgres_store: PostgresStore) -> Ledger:
    return Ledger(postgres_server.url, postgres_store._table, postgres_store)


def test_a_mark_that_is_rolled_back_with_its_work_lets_the_delivery_run_again(ledger: Ledger) -> None:
    app = ledger.latched()
    failing = [RuntimeError(), RuntimeError()]

    def fail() -> None:
        if failing:
            raise failing.pop()

    ledger.inside = fail
    assert [(call_wsgi(app, push(1)).status, len(ledger.done)) for _ in range(4)] == [
        (500, 0),
        (500, 0),
        (204, 1),
        (200, 1),
    ]


def test_work_and_mark_that_were_committed_are_a_duplicate_though_the_process_died_before_its_2xx(
    ledger: Ledger,
) -> None:
    died = run("mark", ledger.url, ledger.table)
    assert (died.returncode, died.stderr) == (-signal.SIGKILL, "")
    assert ledger.done == [push(1).body]
    answer = call_wsgi(ledger.latched(), push(1))
    assert (answer.status, answer.header("hooklatch-duplicate") is not None) == (200, True)
    assert ledger.done == [push(1).body]


def mark(url: str, table: str) -> None:
    """Commit work and mark, and die before the answer."""
    ledger = Ledger(url, table, PostgresStore(url, table=table, timeout=5))
    ledger.after = lambda: os.kill(os.getpid(), signal.SIGKILL)
    call_wsgi(ledger.latched(), push(1))


def test_a_mark_whose_lease_was_taken_over_is_not_proven_and_its_work_is_rolled_back(ledger: Ledger) -> None:
    app = ledger.latched()
    others: list[int] = []

    def take_over() -> None:
        ledger.before = lambda: None
        deadline = time.monotonic() + LEASE + 10
        while 204 not in others:
            assert time.monotonic() < deadline
            others.append(call_wsgi(app, push(1)).status)
            time.sleep(0.05)

    ledger.before = take_over
    assert call_wsgi(app, push(1)).status == 500
    assert [type(bad) for bad in ledger.failures] == [NotProven]
    assert re.search("another worker has taken", str(ledger.failures[0]))
    assert (others[0], set(others), ledger.done) == (409, {409, 204}, [push(1).body])
    assert call_wsgi(app, push(1)).status == 200


def test_a_delivery_without_a_claim_cannot_be_marked(ledger: Ledger) -> None:
    assert call_wsgi(ledger.latched(on_duplicate="run"), push(1)).status == 500
    assert [type(bad) for bad in ledger.failures] == [NotProven]
    assert ledger.done == []


def test_a_handler_that_goes_on_after_its_mark_has_lost_no_lease(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    traffic = Traffic("asyncio", ledger.store)

    async def scenario() -> None:
        app = traffic.endpoint.app

        async def handler(scope: Any, receive: Any, send: Any) -> None:
            body = (await receive())["body"]
            await to_thread.run_sync(ledger._work, body, scope["state"]["webhook"])
            await anyio.sleep(LEASE)
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})

        app.app = handler
        assert [(await traffic.post(push(1))).status for _ in range(2)] == [204, 200]

    traffic.run(scenario)
    assert "lease_lost" not in caplog.text
    assert ledger.done == [push(1).body]


# What a process of its own does


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, __file__, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def main() -> None:
    command, *arguments = sys.argv[1:]
    commands: dict[str, Callable[..., None]] = {"fill": fill, "mark": mark}
    commands[command](*arguments)


if __name__ == "__main__":
    main()
