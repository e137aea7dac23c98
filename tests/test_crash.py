"""Workers that die by ``kill -9`` in the middle of a delivery. This file is also what they run: see ``main``."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hooklatch import Delivery
from hooklatch.providers import GITHUB
from hooklatch.stores import PostgresStore, RedisStore, SQLiteStore
from hooklatch.testing import Answered, call_wsgi
from hooklatch.types import Claim, Standing, State, Store
from hooklatch.wsgi import WebhookMiddleware
from services import postgres_server, redis_server
from worlds import Endpoint, make_endpoint

SECRET = "the-secret-of-this-route"
HOOK = "/hooks/github"
LEASE = 1.5
"""Seconds: long enough to ask twice while it lasts, on a busy machine too."""
SOON = 1.0
"""Seconds within which a busy machine notices that a lease has lapsed."""


def push(event: str) -> Delivery:
    return GITHUB.sign(event.encode(), secret=SECRET, url=HOOK)


# What the worker does


def main() -> None:
    kind, place, name, folder, *moments = sys.argv[1:]
    workers = []
    for moment in moments:
        workers.append(os.fork())
        if not workers[-1]:
            receive(opened(kind, place, name), moment, Path(folder) / moment)
            os._exit(0)
    for worker in workers:
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1])}\n")


def receive(store: Store, moment: str, log: Path) -> None:
    routes = {HOOK: GITHUB.chain(SECRET, lease=LEASE)}
    middleware = WebhookMiddleware(Application(moment, log), routes=routes, store=Deadly(store, moment))
    call_wsgi(middleware, push(moment))


def opened(kind: str, place: str, name: str) -> SQLiteStore | RedisStore | PostgresStore:
    if kind == "sqlite":
        return SQLiteStore(place, timeout=5)
    if kind == "redis":
        return RedisStore(url=place, namespace=name, timeout=5)
    return PostgresStore(place, table=name, timeout=5)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Deadly:
    """A store whose worker is killed at its *moment*."""

    def __init__(self, store: Store, moment: str) -> None:
        self._store = store
        self._moment = moment

    def claim(self, claim: Claim, /) -> Standing:
        standing = self._store.claim(claim)
        assert standing.state is State.GRANTED
        if self._moment == "after the claim":
            die()
        return standing

    def renew(self, claim: Claim, /) -> bool:
        return self._store.renew(claim)

    def commit(self, claim: Claim, /) -> bool:
        if self._moment == "before the commit":
            die()
        committed = self._store.commit(claim)
        if self._moment == "after the commit":
            die()
        return committed

    def release(self, claim: Claim, /) -> None:
        self._store.release(claim)


class Application:
    """An application that notes in a file what it ran."""

    def __init__(self, moment: str, log: Path) -> None:
        self._moment = moment
        self._log = log

    def __call__(self, environ: Any, start_response: Any) -> list[bytes]:
        self._note("began")
        if self._moment == "while the application runs":
            die()
        self._note("ended")
        start_response("204 No Content", [])
        return []

    def _note(self, word: str) -> None:
        with self._log.open("a") as file:
            file.write(f"{word} ")


# The tests


class Survivor:
    """Another worker on the same store, and the one that dies."""

    def __init__(self, kind: str, place: str, folder: Path) -> None:
        self._arguments = [kind, place, f"test_{uuid.uuid4().hex}"]
        self._folder = folder
        self.store = opened(kind, place, self._arguments[2])
        routes = {HOOK: GITHUB.chain(SECRET, lease=LEASE)}
        self.endpoint: Endpoint = make_endpoint("wsgi", routes=routes, store=self.store)

    def crash(self, *moments: str) -> list[str]:
        """Let a worker die at each of the *moments*, in an event of that name; return what their applications noted."""
        command = [sys.executable, __file__, *self._arguments, str(self._folder), *moments]
        finished = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=120)
        assert finished.stdout.split() == [str(-signal.SIGKILL)] * len(moments)
        logs = [self._folder / moment for moment in moments]
        return [log.read_text() if log.exists() else "" for log in logs]

    def post(self, event: str) -> Answered:
        return self.endpoint.post(push(event))

    @property
    def calls(self) -> list[str]:
        return [seen.body.decode() for seen in self.endpoint.calls]


@pytest.fixture(params=["sqlite", "redis", "postgres"])
def survivor(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Survivor]:
    kind = str(request.param)
    places = {"sqlite": lambda: str(tmp_path / "deliveries.db")}
    places |= {"redis": lambda: redis_server().url, "postgres": lambda: postgres_server().url}
    made = Survivor(kind, places[kind](), tmp_path)
    yield made
    made.store.close()


def test_a_delivery_whose_worker_was_killed_before_its_commit_is_in_flight_for_the_lease_and_then_runs_again(
    survivor: Survivor,
) -> None:
    moments = ["after the claim", "before the commit", "while the application runs"]
    assert survivor.crash(*moments) == ["", "began ended ", "began "]
    lapses = time.monotonic() + LEASE
    for moment in moments:
        answer = survivor.post(moment)
        assert (answer.status, survivor.endpoint.reason, survivor.calls) == (409, "duplicate_in_flight", [])
        assert answer.header("retry-after") is not None
    waiting = set(moments)
    while waiting:
        assert time.monotonic() < lapses + SOON, waiting
        for moment in sorted(waiting):
            status = survivor.post(moment).status
            assert status in {409, 200}
            if status == 200:
                waiting.discard(moment)
        time.sleep(0.05)
    assert sorted(survivor.calls) == moments
    assert [(survivor.post(moment).status, survivor.endpoint.reason) for moment in moments] == [(200, "duplicate")] * 3
    assert sorted(survivor.calls) == moments


def test_a_delivery_whose_worker_was_killed_after_the_commit_is_a_duplicate_at_once_and_after_the_lease(
    survivor: Survivor,
) -> None:
    moment = "after the commit"
    assert survivor.crash(moment) == ["began ended "]
    for pause in (0.0, LEASE + 0.1):
        time.sleep(pause)
        assert (survivor.post(moment).status, survivor.endpoint.reason) == (200, "duplicate")
    assert survivor.calls == []


if __name__ == "__main__":
    main()
