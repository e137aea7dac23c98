"""A handler that runs longer than its lease: kept by renewal on ASGI, run again on WSGI, and nothing left behind."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NoReturn

import anyio
import pytest
import trio
from anyio import to_thread

from hooklatch import Delivery, renewal
from hooklatch.asgi import WebhookMiddleware
from hooklatch.providers import GITHUB
from hooklatch.stores import MemoryStore, SQLiteStore
from hooklatch.testing import Answered, call_asgi
from hooklatch.types import Claim, Store
from worlds import make_endpoint

SECRET = "the-secret-of-this-route"
HOOK = "/hooks/github"
LEASE = 0.5
"""Seconds: three renewals fall into it, and a busy machine may miss one."""
PUSH: Delivery = GITHUB.sign(b"{}", secret=SECRET, url=HOOK)
ROUTES = {HOOK: GITHUB.chain(SECRET, lease=LEASE)}


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "memory":
        yield MemoryStore()
    else:
        sqlite = SQLiteStore(tmp_path / "deliveries.db", timeout=5)
        yield sqlite
        sqlite.close()


@pytest.fixture(params=["asyncio", "trio"])
def loop(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Handler:
    """An ASGI application that takes its time."""

    def __init__(self, work: Callable[[], Awaitable[object]]) -> None:
        self.calls = 0
        self._work = work

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.calls += 1
        await self._work()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})


def run(loop: str, scenario: Callable[[], Awaitable[object]]) -> None:
    async def bounded() -> None:
        with anyio.fail_after(60):
            await scenario()

    anyio.run(bounded, backend=loop)


def test_while_a_handler_runs_three_leases_long_its_retries_are_409_and_it_runs_once(loop: str, store: Store) -> None:
    handler = Handler(lambda: anyio.sleep(3 * LEASE))
    app = WebhookMiddleware(handler, routes=ROUTES, store=store)
    firsts: list[Answered] = []
    retries: list[int] = []

    async def first() -> None:
        firsts.append(await call_asgi(app, PUSH))

    async def scenario() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(first)
            await anyio.sleep(LEASE / 2)
            while not firsts:
                retries.append((await call_asgi(app, PUSH)).status)
                await anyio.sleep(LEASE / 5)
        assert (await call_asgi(app, PUSH)).status == 200

    run(loop, scenario)
    # The last of them may have come just after the end.
    assert set(retries[:-1]) == {409}
    assert retries[-1] in {409, 200}
    assert len(retries) > 5
    assert ([answer.status for answer in firsts], handler.calls) == ([204], 1)


def test_a_lease_lapses_after_its_worker_stopped_renewing(loop: str, store: Store) -> None:
    """A loop that stands still renews nothing, so its delivery becomes free for another worker."""
    elsewhere = make_endpoint("wsgi", routes=ROUTES, store=store)
    statuses: list[int] = []

    async def hog() -> None:
        deadline = time.monotonic() + LEASE + 10
        # Another thread, because this one is the loop's.
        with ThreadPoolExecutor(1) as other:
            while 200 not in statuses:
                assert time.monotonic() < deadline
                statuses.append(other.submit(elsewhere.post, PUSH).result().status)
                time.sleep(LEASE / 10)  # noqa: ASYNC251 - it hogs the loop

    handler = Handler(hog)
    app = WebhookMiddleware(handler, routes=ROUTES, store=store)
    run(loop, lambda: call_asgi(app, PUSH))
    assert (statuses[0], set(statuses), len(elsewhere.calls)) == (409, {409, 200}, 1)


def test_without_renewal_a_retry_after_the_lease_runs_and_the_log_says_that_the_first_lost_it(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    made = make_endpoint("wsgi", routes=ROUTES, store=store, statuses=[202, 201])
    running = threading.Event()
    retried = threading.Event()

    def wait() -> None:
        made.during = lambda: None
        running.set()
        assert retried.wait(60)

    made.during = wait
    with ThreadPoolExecutor(1) as first_worker:
        first = first_worker.submit(made.post, PUSH)
        try:
            assert running.wait(60)
            assert made.post(PUSH).status == 409
            time.sleep(LEASE + 0.1)
            assert made.post(PUSH).status == 202
            assert "lease_lost" not in caplog.text
        finally:
            retried.set()
        assert first.result(60).status == 201
    assert [record.getMessage().partition(":")[0] for record in caplog.records].count("lease_lost") == 1
    assert (made.post(PUSH).status, made.reason, len(made.calls)) == (200, "duplicate", 2)


async def quick() -> None:
    """End long before the first renewal."""


async def long() -> None:
    """End after several renewals."""
    await anyio.sleep(LEASE * 1.05)


async def failing() -> NoReturn:
    await long()
    raise RuntimeError


@pytest.mark.parametrize("work", [quick, long, failing])
def test_no_task_and_no_timer_is_left_behind_after_a_request(
    loop: str, store: Store, work: Callable[[], Awaitable[None]]
) -> None:
    app = WebhookMiddleware(Handler(work), routes=ROUTES, store=store)

    async def scenario() -> None:
        before = alive(loop)
        try:
            await call_asgi(app, PUSH)
        except RuntimeError:
            assert work is failing
        await settled(loop, before)

    run(loop, scenario)


def test_no_task_and_no_timer_is_left_behind_after_a_cancelled_request(loop: str, store: Store) -> None:
    app = WebhookMiddleware(Handler(anyio.sleep_forever), routes=ROUTES, store=store)

    async def scenario() -> None:
        before = alive(loop)
        with anyio.move_on_after(LEASE * 1.05):
            await call_asgi(app, PUSH)
        await settled(loop, before)

    run(loop, scenario)


def test_the_rounds_of_event_loops_that_are_gone_are_forgotten() -> None:
    async def scenario() -> None:
        gc.collect()
        await call_asgi(WebhookMiddleware(Handler(quick), routes=ROUTES, store=MemoryStore()), PUSH)
        alive_or_not = [loop() for loop, _ in renewal._rounds]
        assert asyncio.get_running_loop() in alive_or_not
        assert None not in alive_or_not

    for _ in range(3):
        run("asyncio", scenario)


class SlowToRenew(MemoryStore):
    """A store whose renewals are under way until the gate opens."""

    blocking = True

    def __init__(self) -> None:
        super().__init__()
        self.began, self.gate, self.ended = threading.Event(), threading.Event(), threading.Event()

    def renew(self, claim: Claim, /) -> bool:
        self.began.set()
        assert self.gate.wait(60)
        renewed = super().renew(claim)
        self.ended.set()
        return renewed


def test_a_renewal_that_is_under_way_when_the_handler_fails_does_not_take_the_delivery_back(loop: str) -> None:
    store = SlowToRenew()

    async def fail() -> None:
        while not store.began.is_set():  # noqa: ASYNC110 - it is set by a thread
            await anyio.sleep(0.01)
        threading.Timer(0.2, store.gate.set).start()
        raise RuntimeError

    async def scenario() -> None:
        with pytest.raises(RuntimeError):
            await call_asgi(WebhookMiddleware(Handler(fail), routes=ROUTES, store=store), PUSH)
        await to_thread.run_sync(store.ended.wait, 60)
        answer = await call_asgi(WebhookMiddleware(Handler(quick), routes=ROUTES, store=store), PUSH)
        assert answer.status == 204

    run(loop, scenario)


async def settled(loop: str, before: int) -> None:
    """Wait as long as a thread of the store may need, and not as long as a renewal."""
    deadline = time.monotonic() + LEASE / 4
    idle = 0
    # More than one look, because a timer that fires is for a moment neither timer nor task.
    while idle < 5:
        idle = idle + 1 if alive(loop) <= before else 0
        assert idle or time.monotonic() < deadline
        await anyio.sleep(0.01)


def alive(loop: str) -> int:
    """Return how many tasks and timers the event loop has."""
    if loop == "trio":
        return trio.lowlevel.current_statistics().tasks_living
    timers: list[asyncio.TimerHandle] = vars(asyncio.get_running_loop())["_scheduled"]
    return len(asyncio.all_tasks()) + sum(not timer.cancelled() for timer in timers)
