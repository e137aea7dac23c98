"""What a large signed body costs: growth of peak memory, and time beside hashing and dropping the same bytes.

python benchmarks/large_bodies.py [--sizes 100,1000] [--worlds wsgi,asgi] [--rounds 3]

A GitHub delivery of that many megabytes (10^6 bytes) is generated on the fly in pieces of 64 KiB, captured, verified
and given to a handler that reads and drops it. Every round runs in a process of its own. Growth is the peak of
resident memory (VmHWM, reset before the request) above what it held after a first small delivery. Linux only.
"""

# ruff: noqa: ANN401, ARG002, ARG005 - applications take whatever a server gives

from __future__ import annotations

import argparse
import asyncio
import gc
import hashlib
import hmac
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from hooklatch import asgi, wsgi
from hooklatch.providers import GITHUB
from hooklatch.testing import asgi_scope, wsgi_environ
from rounds import Goal, machine, save

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SECRET: Final = "a secret of the benchmark, long enough"
PATH: Final = "/hooks/github"
PIECE: Final = 1 << 16
MEGABYTE: Final = 10**6
GOAL: Final = 8.0
"""MiB by which the peak of memory may grow."""
TIMES: Final = 3.5
"""As long as hashing and dropping the same bytes."""


class Measured(NamedTuple):
    """One round."""

    growth: float
    """MiB."""
    seconds: float
    floor: float
    """Seconds that hashing and dropping take."""


class Generated:
    """A body that exists one piece at a time, and counts what was taken of it."""

    def __init__(self, size: int) -> None:
        self._block = os.urandom(PIECE)
        self.size = size

    def pieces(self) -> Iterator[bytes]:
        whole, rest = divmod(self.size, PIECE)
        for number in range(whole):
            # A piece of its own each time, as from a socket; numbered, so that none may be lost or swapped.
            yield number.to_bytes(8, "big") + self._block[8:]
        if rest:
            yield self._block[:rest]

    def signature(self) -> str:
        running = hmac.new(SECRET.encode(), digestmod=hashlib.sha256)
        for piece in self.pieces():
            running.update(piece)
        return f"sha256={running.hexdigest()}"


class Stream:
    """A ``wsgi.input`` over the pieces."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._left = b""

    def read(self, size: int = -1) -> bytes:
        piece = self._left or next(self._pieces, b"")
        self._left = piece[size:]
        return piece[:size]


class Handler:
    """Reads the body and drops it, counting."""

    seen = 0

    def wsgi(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.seen = 0
        while piece := environ["wsgi.input"].read(PIECE):
            self.seen += len(piece)
        start_response("204 No Content", [])
        return []

    async def asgi(self, scope: Any, receive: Any, send: Any) -> None:
        self.seen = 0
        more = True
        while more:
            message = await receive()
            self.seen += len(message.get("body", b""))
            more = message.get("more_body", False)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def head(body: Generated, signature: str) -> tuple[str, str, list[tuple[str, str]], bytes]:
    headers = [("x-hub-signature-256", signature), ("content-length", str(body.size))]
    return "POST", PATH, headers, b""


def send_wsgi(app: Any, body: Generated, signature: str) -> str:
    environ = wsgi_environ(head(body, signature))
    environ["wsgi.input"] = Stream(body.pieces())
    statuses: list[str] = []
    answer = app(environ, lambda status, headers, exc_info=None: statuses.append(status))
    list(answer)
    getattr(answer, "close", lambda: None)()
    return statuses[-1]


async def send_asgi(app: Any, body: Generated, signature: str) -> str:
    pieces = body.pieces()
    left = body.size
    statuses: list[str] = []

    async def receive() -> Any:
        nonlocal left
        piece = next(pieces, b"")
        left -= len(piece)
        return {"type": "http.request", "body": piece, "more_body": left > 0}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(str(message["status"]))

    await app(asgi_scope(head(body, signature)), receive, send)
    return statuses[-1]


def status_of(field: str) -> int:
    """Return a figure of this process from the kernel, in KiB."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


def one_round(world: str, megabytes: float) -> Measured:
    """Measure in this process."""
    handler = Handler()
    settings: dict[str, Any] = {
        "routes": {PATH: GITHUB.chain(SECRET, max_body=1 << 40)},
        "max_spool": 1 << 40,
    }
    app: Any
    if world == "wsgi":
        app = wsgi.WebhookMiddleware(handler.wsgi, **settings)
    else:
        app = asgi.WebhookMiddleware(handler.asgi, **settings)
    small, large = Generated(1000), Generated(int(megabytes * MEGABYTE))
    started = time.perf_counter()
    signature = large.signature()
    floor = time.perf_counter() - started

    def deliver() -> tuple[str, float, int]:
        send_wsgi(app, small, small.signature())
        before = reset()
        began = time.perf_counter()
        status = send_wsgi(app, large, signature)
        return status, time.perf_counter() - began, before

    async def adeliver() -> tuple[str, float, int]:
        await send_asgi(app, small, small.signature())
        before = reset()
        began = time.perf_counter()
        status = await send_asgi(app, large, signature)
        return status, time.perf_counter() - began, before

    status, seconds, before = deliver() if world == "wsgi" else asyncio.run(adeliver())
    if not status.startswith("204") or handler.seen != large.size:
        message = f"answered {status}, handler saw {handler.seen} of {large.size} bytes"
        raise SystemExit(message)
    return Measured((status_of("VmHWM") - before) / 1024, seconds, floor)


def reset() -> int:
    """Begin the peak of memory anew and return what is resident now, in KiB."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5", "ascii")
    return status_of("VmRSS")


def rounds_of(world: str, megabytes: float, rounds: int) -> list[Measured]:
    """Measure *rounds* times, each in a process of its own."""
    command = [sys.executable, __file__, "--child", world, str(megabytes)]
    found = []
    for _ in range(rounds):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr)
        found.append(Measured(*json.loads(done.stdout)))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Peak memory and time of large signed bodies")
    parser.add_argument("--sizes", default="100,1000", help="megabytes, comma-separated")
    parser.add_argument("--worlds", default="wsgi,asgi")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--child", nargs=2, metavar=("WORLD", "MEGABYTES"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        world, megabytes = arguments.child
        print(json.dumps(one_round(world, float(megabytes))))
        return
    before = machine()
    print(f"CPython {before['python']}, spool in {tempfile.gettempdir()}, load {before['load']}")
    print(f"{'':14}{'growth of peak':>16}{'time':>9}{'hash and drop':>15}{'ratio':>8}")
    rows = []
    goals = []
    for size in map(float, arguments.sizes.split(",")):
        for world in arguments.worlds.split(","):
            found = rounds_of(world, size, arguments.rounds)
            growth = max(one.growth for one in found)
            seconds, floor = median(one.seconds for one in found), median(one.floor for one in found)
            ratio = median(one.seconds / one.floor for one in found)
            print(f"{world:5}{size:6g} MB {growth:12.1f} MiB{seconds:7.2f} s{floor:13.2f} s{ratio:8.2f}", flush=True)
            rows.append({"world": world, "megabytes": size, "rounds": [one._asdict() for one in found]})
            goals += [
                Goal(f"{world}, {size:g} MB: growth of peak memory", growth, GOAL, "MiB"),
                Goal(f"{world}, {size:g} MB: time over hashing and dropping", ratio, TIMES),
            ]
    save("large_bodies", before, rows, goals)


if __name__ == "__main__":
    main()
