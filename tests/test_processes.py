"""One duplicate memory shared by many processes. This file is also what those processes run: see ``main``."""

from __future__ import annotations

import contextlib
import http.client
import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anyio
import pytest

from hooklatch import Delivery
from hooklatch.asgi import WebhookMiddleware as ASGIWebhookMiddleware
from hooklatch.providers import GITHUB
from hooklatch.stores import PostgresStore, RedisStore, SQLiteStore
from hooklatch.types import Claim, State, Store
from hooklatch.wsgi import WebhookMiddleware as WSGIWebhookMiddleware
from services import free_port, postgres_server, redis_server

PROCESSES = 8
DELIVERIES = 500
REQUESTS = 20
TURNS = ("one", "two")
PATIENCE = 120.0
"""Seconds that a busy machine may take for anything."""

SECRET = "the-secret-of-this-route"
HOOK = "/hooks/github"
FOLDER = "HOOKLATCH_TEST_FOLDER"


def wish(name: str) -> Claim:
    return Claim((name.encode().ljust(32, b"."),), b"f" * 32, 60, 600, os.urandom(16), 60)


def push(event: str) -> Delivery:
    return GITHUB.sign(json.dumps({"event": event}).encode(), secret=SECRET, url=HOOK)


# What the processes do


def main() -> None:
    command, *arguments = sys.argv[1:]
    commands: dict[str, Callable[..., None]] = {
        "grants": print_grants,
        "fork": print_what_relatives_see,
        "uvicorn": serve_by_uvicorn,
        "waitress": serve_by_waitress,
    }
    commands[command](*arguments)


def say(*words: str) -> None:
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


def opened(kind: str, place: str, name: str) -> SQLiteStore | RedisStore | PostgresStore:
    """Return the store that all processes of a test share; it is patient, because the machine is busy."""
    if kind == "sqlite":
        return SQLiteStore(place, timeout=60)
    if kind == "redis":
        return RedisStore(url=place, namespace=name, timeout=60)
    return PostgresStore(place, table=name, timeout=60)


def print_grants(kind: str, place: str, name: str) -> None:
    """Let eight processes claim and commit the same deliveries, and print what was granted to each."""
    context = multiprocessing.get_context("fork")
    barrier, grants = context.Barrier(PROCESSES), context.SimpleQueue()

    def work(seed: int) -> None:
        order = list(range(DELIVERIES))
        random.Random(seed).shuffle(order)
        barrier.wait(PATIENCE)
        # Opened only now, so that all processes create the file or the table at the same moment.
        store = opened(kind, place, name)
        granted = []
        for number in order:
            claim = wish(str(number))
            if store.claim(claim).state is State.GRANTED:
                assert store.commit(claim)
                granted.append(number)
        grants.put(granted)
        store.close()

    workers = [context.Process(target=work, args=(seed,)) for seed in range(PROCESSES)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(PATIENCE)
        assert worker.exitcode == 0
    say(json.dumps([grants.get() for _ in workers]))


def print_what_relatives_see(path: str, used: str, parent: str) -> None:
    """Fork a child of a process that has the store open; print what the child and unrelated processes see."""
    strangers = [(turn, stranger(path, turn)) for turn in TURNS]
    store = SQLiteStore(path, timeout=60)
    if used == "used":
        assert done(store, "before") == "granted"
    hears, holds = os.pipe()
    child = os.fork()
    if child:
        if parent == "lives":
            os.waitpid(child, 0)
            say("parent, what the child did:", done(store, "last"))
        return
    os.close(holds)
    if parent == "ends":
        os.read(hears, 1)
    if used == "used":
        say("child, what its parent did before:", done(store, "before"))
    for turn, ask in strangers:
        say("child, new:", done(store, turn))
        say("stranger, what the child did, then new:", ask())
        say("child, what the stranger did:", done(store, f"stranger's {turn}"))
    say("child, new:", done(store, "last"))


def stranger(path: str, turn: str) -> Callable[[], str]:
    """Fork a process that has nothing to do with the store yet; return a call that lets it use the store and end."""
    here, there = multiprocessing.Pipe()
    if not os.fork():
        there.recv()
        store = SQLiteStore(path, timeout=60)
        there.send(", ".join(done(store, name) for name in (turn, f"stranger's {turn}")))
        store.close()
        there.send("closed")
        os._exit(0)

    def ask() -> str:
        here.send("go")
        seen: str = here.recv()
        here.recv()
        return seen

    return ask


def done(store: Store, name: str) -> str:
    """Process the delivery *name* if the store lets us; return what it said."""
    claim = wish(name)
    state = store.claim(claim).state
    if state is State.GRANTED:
        assert store.commit(claim)
    return state.value


def record(body: bytes) -> None:
    """Note that the application ran, in one write that no other process can tear."""
    file = os.open(Path(os.environ[FOLDER]) / "calls", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(file, body + b"\n")
    os.close(file)


def settings() -> Any:
    return {"routes": {HOOK: GITHUB.chain(SECRET)}, "store": f"sqlite:///{os.environ[FOLDER]}/deliveries.db"}


async def asgi_application(scope: Any, receive: Any, send: Any) -> None:
    assert scope["type"] == "http"
    record((await receive())["body"])
    await anyio.sleep(0.3)
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def served_by_uvicorn() -> ASGIWebhookMiddleware:
    return ASGIWebhookMiddleware(asgi_application, **settings())


def serve_by_uvicorn(port: str) -> None:
    import uvicorn

    application = f"{Path(__file__).stem}:{served_by_uvicorn.__name__}"
    uvicorn.run(application, factory=True, workers=2, port=int(port), lifespan="off", log_level="warning")


def wsgi_application(environ: Any, start_response: Any) -> list[bytes]:
    record(environ["wsgi.input"].read())
    time.sleep(0.3)
    start_response("204 No Content", [])
    return []


def serve_by_waitress(port: str) -> None:
    import waitress

    waitress.serve(WSGIWebhookMiddleware(wsgi_application, **settings()), host="127.0.0.1", port=int(port), threads=8)


# The tests


@pytest.fixture(params=["sqlite", "redis", "postgres"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str, str]:
    """Kind, place and name of a store that no process has used yet."""
    kind = str(request.param)
    places = {"sqlite": lambda: str(tmp_path / "deliveries.db")}
    places |= {"redis": lambda: redis_server().url, "postgres": lambda: postgres_server().url}
    return kind, places[kind](), f"test_{uuid.uuid4().hex}"


def test_of_equal_deliveries_to_many_processes_each_is_granted_exactly_once(shared: tuple[str, str, str]) -> None:
    finished = run("grants", *shared)
    assert finished.stderr == ""
    grants = json.loads(finished.stdout)
    assert sorted(number for granted in grants for number in granted) == list(range(DELIVERIES))
    assert sum(bool(granted) for granted in grants) > 1


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, __file__, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)


@pytest.mark.parametrize("server", ["uvicorn", "waitress"])
def test_of_twenty_simultaneous_equal_requests_to_a_real_server_one_runs_the_application(
    tmp_path: Path, server: str
) -> None:
    with running(server, tmp_path) as port, ThreadPoolExecutor(REQUESTS) as senders:
        for event in TURNS:
            gate = threading.Barrier(REQUESTS)
            answers = [senders.submit(post, port, push(event), gate) for _ in range(REQUESTS)]
            statuses = Counter(answer.result(PATIENCE) for answer in answers)
            assert statuses[204] == 1
            assert set(statuses) <= {204, 200, 409}
            assert post(port, push(event)) == 200
    calls = (tmp_path / "calls").read_bytes().splitlines()
    assert calls == [push(event).body for event in TURNS]


def post(port: int, delivery: Delivery, gate: threading.Barrier | None = None) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    with contextlib.closing(connection):
        connection.connect()
        if gate is not None:
            gate.wait(PATIENCE)
        connection.request(delivery.method, delivery.url, delivery.body, delivery.headers)
        return connection.getresponse().status


@contextlib.contextmanager
def running(server: str, folder: Path) -> Iterator[int]:
    """Run *server* in a process of its own; yield its port."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, __file__, server, str(port)], env={**os.environ, FOLDER: str(folder)}, start_new_session=True
    )
    try:
        deadline = time.monotonic() + PATIENCE
        while not answers(port):
            assert process.poll() is None, f"{server} ended at once"
            assert time.monotonic() < deadline, f"{server} did not start"
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        try:
            process.wait(30)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def answers(port: int) -> bool:
    """Return whether a worker answers: a GET on the route is 405 and touches neither store nor application."""
    with contextlib.suppress(OSError, http.client.HTTPException):
        return post(port, Delivery("GET", HOOK, {}, b"")) == 405
    return False


@pytest.mark.parametrize(("used", "parent"), [("used", "lives"), ("used", "ends"), ("opened", "ends")])
def test_a_forked_child_of_a_process_with_a_sqlite_store_shares_its_memory_with_all_others(
    tmp_path: Path, used: str, parent: str
) -> None:
    # The child holds the pipe too, so this waits for its end, not only for its parent's.
    finished = run("fork", str(tmp_path / "deliveries.db"), used, parent)
    expected = ["child, what its parent did before: done"] if used == "used" else []
    for _ in TURNS:
        expected.append("child, new: granted")
        expected.append("stranger, what the child did, then new: done, granted")
        expected.append("child, what the stranger did: done")
    expected.append("child, new: granted")
    if parent == "lives":
        expected.append("parent, what the child did: done")
    assert (finished.stdout.splitlines(), finished.stderr) == (expected, "")


if __name__ == "__main__":
    main()
