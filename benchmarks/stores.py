"""What claim and commit together add to a verified request: WSGI and ASGI, every store, in one process, no server.

python benchmarks/stores.py [--stores memory,sqlite] [--rounds 300]

A request is a GitHub delivery of 1 KiB. Each round sends some to the same chain twice, with its duplicate memory and
with ``on_duplicate="run"``, which has none; what is added is the difference. The rounds alternate, so that a busy
machine is busy for both. For Redis each round also makes two bare round trips (GET) a request with the
store's own client: in a bare loop, and from within an application, where no cache is warm for them either.
"""

# ruff: noqa: ANN401, ARG001 - applications and stand-ins take whatever a server gives

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import logging
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from hooklatch import asgi, stores, wsgi
from hooklatch.providers import GITHUB
from hooklatch.testing import asgi_scope, wsgi_environ
from rounds import Goal, machine, save

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from hooklatch.types import Delivery

SECRET: Final = "a secret of the benchmark, long enough"
PATH: Final = "/hooks/github"
SIZE: Final = 1024

REQUESTS: Final = {"memory": 50, "sqlite": 40, "redis": 20, "postgres": 20}
"""Requests of one round: few milliseconds, so that a busy machine leaves some rounds alone."""

WARM_UP: Final = 5

TIMEOUT: Final = 10.0
"""Seconds: a busy machine must not end the run."""

GOALS: Final = {  # (what is looked at, the figure)
    ("wsgi", "memory"): ("us", 4.0),
    ("asgi", "memory"): ("us", 4.0),
    ("wsgi", "sqlite"): ("us", 70.0),
    ("asgi", "sqlite"): ("us", 250.0),
    ("wsgi", "redis"): ("ratio", 1.3),
    ("asgi", "redis"): ("ratio", 1.3),
}

KEY: Final = b"{hooklatch}:" + b"k" * 32
LOOP: Final = "two GET in a loop"
INSIDE: Final = "two GET in a request"

Seconds = dict[str, list[float]]
"""Per variant, the seconds one request took in each round."""


def deliveries(count: int) -> list[Delivery]:
    """Return deliveries that nobody has seen before."""
    bodies = (f'{{"id":"{os.urandom(16).hex()}"}}'.encode().ljust(SIZE) for _ in range(count))
    return [GITHUB.sign(body, secret=SECRET, url=PATH, headers={"x-github-event": "push"}) for body in bodies]


def alternated(variants: dict[str, Any], turn: int) -> list[tuple[str, Any]]:
    """Return the variants, every other round in reverse, so that none is always the first."""
    items = list(variants.items())
    return items[::-1] if turn % 2 else items


def wsgi_rounds(store: Any, kind: str, rounds: int, count: int) -> Seconds:
    def application(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Callable[[bytes], object]:
        if not status.startswith("200"):
            raise AssertionError(status)
        return lambda data: data

    def sender(app: Any) -> Callable[[], float]:
        def send() -> float:
            environs = [wsgi_environ(delivery) for delivery in deliveries(count)]
            started = time.perf_counter()
            for environ in environs:
                app(environ, start_response)
            return time.perf_counter() - started

        return send

    def bare(call: Callable[..., object], *arguments: object) -> Callable[[], float]:
        def trips() -> float:
            started = time.perf_counter()
            for _ in range(2 * count):
                call(*arguments)
            return time.perf_counter() - started

        return trips

    variants = {
        name: sender(wsgi.WebhookMiddleware(application, routes={PATH: chain}, store=store))
        for name, chain in chains().items()
    }
    if kind == "redis":
        client = store._client  # noqa: SLF001 - the very client that is compared

        def asking(environ: Any, start_response: Any) -> list[bytes]:
            client.get(KEY)
            client.get(KEY)
            return application(environ, start_response)

        app = wsgi.WebhookMiddleware(asking, routes={PATH: chains()["without"]}, store=store)
        variants |= {LOOP: bare(client.get, KEY), INSIDE: sender(app)}
    seconds: Seconds = {name: [] for name in variants}
    for turn in range(-WARM_UP, rounds):
        for name, send in alternated(variants, turn):
            spent = send() / count
            if turn >= 0:
                seconds[name].append(spent)
    return seconds


async def asgi_rounds(store: Any, kind: str, rounds: int, count: int) -> Seconds:
    start = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]}
    body = {"type": "http.response.body", "body": b"ok", "more_body": False}

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send(start)
        await send(body)

    async def send_nowhere(message: Any) -> None:
        if message.get("status", 200) != 200:  # noqa: PLR2004
            raise AssertionError(message)

    def receiver(delivery: Delivery) -> Callable[[], Awaitable[Any]]:
        message = {"type": "http.request", "body": delivery.body, "more_body": False}

        async def receive() -> Any:
            return message

        return receive

    def sender(app: Any) -> Callable[[], Awaitable[float]]:
        async def send() -> float:
            pairs = [(asgi_scope(delivery), receiver(delivery)) for delivery in deliveries(count)]
            started = time.perf_counter()
            for scope, receive in pairs:
                await app(scope, receive, send_nowhere)
            return time.perf_counter() - started

        return send

    def bare(call: Callable[..., Awaitable[object]], *arguments: object) -> Callable[[], Awaitable[float]]:
        async def trips() -> float:
            started = time.perf_counter()
            for _ in range(2 * count):
                await call(*arguments)
            return time.perf_counter() - started

        return trips

    variants = {
        name: sender(asgi.WebhookMiddleware(application, routes={PATH: chain}, store=store))
        for name, chain in chains().items()
    }
    if kind == "redis":
        client = store.aio._lines().client  # noqa: SLF001 - the very client that is compared

        async def asking(scope: Any, receive: Any, send: Any) -> None:
            await client.get(KEY)
            await client.get(KEY)
            await application(scope, receive, send)

        app = asgi.WebhookMiddleware(asking, routes={PATH: chains()["without"]}, store=store)
        variants |= {LOOP: bare(client.get, KEY), INSIDE: sender(app)}
    seconds: Seconds = {name: [] for name in variants}
    for turn in range(-WARM_UP, rounds):
        for name, send in alternated(variants, turn):
            spent = await send() / count
            if turn >= 0:
                seconds[name].append(spent)
    if kind == "redis":
        await store.aio.aclose()
    return seconds


def chains() -> dict[str, Any]:
    return {"without": GITHUB.chain(SECRET, on_duplicate="run"), "with": GITHUB.chain(SECRET)}


@contextlib.contextmanager
def opened(kind: str, arguments: argparse.Namespace) -> Iterator[Any]:
    """Yield a new store; Redis and PostgreSQL are started as the tests do, unless a URL is given."""
    if kind == "memory":
        yield stores.MemoryStore()
    elif kind == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            store: Any = stores.SQLiteStore(Path(folder) / "deliveries.db", timeout=TIMEOUT)
            yield store
            store.close()
    elif kind == "redis":
        store = stores.RedisStore(url=arguments.redis or services().redis_server().url, timeout=TIMEOUT)
        yield store
        store.close()
    else:
        store = stores.PostgresStore(arguments.postgres or services().postgres_server().url, timeout=TIMEOUT)
        yield store
        store.close()


def services() -> Any:
    sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
    import services as found  # noqa: PLC0415 - needs pytest, and only where no URL is given

    return found


def row(world: str, kind: str, count: int, seconds: Seconds) -> dict[str, Any]:
    """Return the figures of one store in one world, in microseconds a request."""
    pairs = list(zip(seconds["with"], seconds["without"], strict=True))
    added = {
        "min": min(seconds["with"]) - min(seconds["without"]),
        "median": median(more - less for more, less in pairs),
    }
    made: dict[str, Any] = {"world": world, "store": kind, "requests": count, "rounds": len(pairs)}
    for name, spent in seconds.items():
        made[name] = {"min": round(min(spent) * 1e6, 2), "median": round(median(spent) * 1e6, 2)}
    made["added"] = {name: round(value * 1e6, 2) for name, value in added.items()}
    if LOOP in seconds:
        inside = [more - less for more, less in zip(seconds[INSIDE], seconds["without"], strict=True)]
        lowest = {LOOP: min(seconds[LOOP]), INSIDE: min(seconds[INSIDE]) - min(seconds["without"])}
        made[INSIDE] = {"min": round(lowest[INSIDE] * 1e6, 2), "median": round(median(inside) * 1e6, 2)}
        for name, trips in ((LOOP, seconds[LOOP]), (INSIDE, inside)):
            ratios = ((more - less) / bare for (more, less), bare in zip(pairs, trips, strict=True))
            made[f"ratio to {name}"] = {
                "min": round(added["min"] / lowest[name], 2),
                "median": round(median(ratios), 2),
            }
    return made


def goal_of(made: dict[str, Any]) -> Goal | None:
    """Return the goal that the figures of one row have, if any."""
    world, kind = made["world"], made["store"]
    if (world, kind) not in GOALS:
        return None
    unit, bound = GOALS[world, kind]
    if unit == "us":
        return Goal(f"{world}, {kind}: claim and commit", made["added"]["min"], bound, "us")
    return Goal(f"{world}, {kind}: claim and commit over two bare round trips", made[f"ratio to {LOOP}"]["min"], bound)


def shown(made: dict[str, Any]) -> str:
    def pair(name: str) -> str:
        return f"{made[name]['min']:8.2f} {made[name]['median']:8.2f}"

    line = f"{made['world']:5} {made['store']:9} {pair('without')}  {pair('with')}  {pair('added')}"
    for name in (INSIDE, LOOP):
        if name in made:
            ratio = made[f"ratio to {name}"]
            line += f"\n{'':16}{name}: {made[name]['min']:.1f}, {made[name]['median']:.1f} us;"
            line += f" ratio {ratio['min']:.2f}, {ratio['median']:.2f}"
    return line


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stores", default=",".join(REQUESTS), help="default: %(default)s")
    parser.add_argument("--worlds", default="wsgi,asgi", help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=300, help="default: %(default)s")
    parser.add_argument("--redis", metavar="URL", help="a server of yours; default: one is started")
    parser.add_argument("--postgres", metavar="URL", help="a server of yours; default: one is started")
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    before = machine()
    print(f"Python {before['python']}, load {before['load']}; us a request: min and median of {arguments.rounds}")
    print(f"{'':16}{'without':>17}  {'with':>17}  {'added':>17}")
    rows: list[dict[str, Any]] = []
    for kind in arguments.stores.split(","):
        for world in arguments.worlds.split(","):
            # Collecting garbage in the middle of a round would be charged to whoever is being measured.
            gc.collect()
            gc.disable()
            with opened(kind, arguments) as store:
                measured = (store, kind, arguments.rounds, REQUESTS[kind])
                seconds = wsgi_rounds(*measured) if world == "wsgi" else asyncio.run(asgi_rounds(*measured))
            gc.enable()
            rows.append(row(world, kind, REQUESTS[kind], seconds))
            print(shown(rows[-1]), flush=True)
    save("stores", before, rows, [goal for made in rows if (goal := goal_of(made))], body=SIZE)


if __name__ == "__main__":
    main()
