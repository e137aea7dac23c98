"""hooklatch.aiohttp beyond what every framework does: answers that are raised, files, chunks, sub-applications."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from framework_apps.aiohttp import served
from framework_record import Post
from hooklatch import CORS, ConfigError, Delivery
from hooklatch.aiohttp import WEBHOOK, setup, webhook_of
from hooklatch.providers import GITHUB
from hooklatch.testing import Answered

SECRET = "one secret, long enough"
PATH = "/hooks/github"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture
def make() -> Iterator[Callable[..., Post]]:
    """Return a factory: ``make(handler, **settings)`` serves *handler* and returns how to post to it."""
    with ExitStack() as closing:

        def made(handler: Handler, **settings: Any) -> Post:
            app = web.Application()
            app.add_routes([web.post(PATH, handler)])
            setup(app, **{"routes": {PATH: GITHUB.chain(SECRET)}, **settings})
            return served(app, closing)

        yield made


def signed(body: bytes = b"{}", **headers: str) -> Delivery:
    lines = {name.replace("_", "-"): value for name, value in headers.items()}
    return GITHUB.sign(body, secret=SECRET, url=PATH, headers={"content-type": "application/json", **lines})


def statuses(post: Post, times: int) -> list[int]:
    return [post(signed()).status for _ in range(times)]


def test_a_raised_answer_counts_as_the_answer_it_is(make: Callable[..., Post]) -> None:
    raised: list[type[web.HTTPException]] = [web.HTTPConflict, web.HTTPNoContent]

    async def handler(request: web.Request) -> web.StreamResponse:
        raise raised.pop(0)

    assert statuses(make(handler), 3) == [409, 204, 200]
    assert not raised


def test_an_outer_middleware_sees_a_raised_answer_as_ever(make: Callable[..., Post]) -> None:
    seen: list[str] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        raise web.HTTPConflict

    @web.middleware
    async def outer(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as raised:
            seen.append(type(raised).__name__)
            raise

    app = web.Application()
    app.add_routes([web.post(PATH, handler)])
    setup(app, routes={PATH: GITHUB.chain(SECRET)})
    app.middlewares.insert(0, outer)
    with ExitStack() as closing:
        assert served(app, closing)(signed()).status == 409
    assert seen == ["HTTPConflict"]


def test_a_file_is_sent_whole(make: Callable[..., Post], tmp_path: Path) -> None:
    file = tmp_path / "receipt"
    file.write_bytes(b"received")

    async def handler(request: web.Request) -> web.StreamResponse:
        return web.FileResponse(file)

    post = make(handler)
    answer = post(signed())
    assert (answer.status, answer.body) == (200, b"received")
    assert post(signed()).header("hooklatch-duplicate")


def test_an_iterable_body_that_breaks_off_gives_its_claim_back(make: Callable[..., Post]) -> None:
    breaks = [True, False]

    async def pieces() -> AsyncIterator[bytes]:
        yield b"one "
        if breaks.pop(0):
            msg = "no more"
            raise LookupError(msg)
        yield b"two"

    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(body=pieces())

    post = make(handler)
    assert post(signed()).body != b"one two"
    assert post(signed()).body == b"one two"
    assert post(signed()).header("hooklatch-duplicate")


def test_the_lines_of_cors_are_on_answers_and_refusals(make: Callable[..., Post]) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(headers={"vary": "Origin"})

    chain = GITHUB.chain(SECRET, cors=CORS(["https://shop.example"]))
    post = make(handler, routes={PATH: chain})
    delivery = signed(origin="https://shop.example")
    for request, status in ((delivery, 200), (delivery._replace(body=b"altered"), 401)):
        answer = post(request)
        assert answer.status == status
        assert answer.header("access-control-allow-origin") == "https://shop.example"


@pytest.mark.parametrize("size", [10, 200_000], ids=["small", "in many pieces"])
@pytest.mark.parametrize("reader", ["read", "content"])
def test_a_body_of_any_size_is_read_whole_and_the_connection_lives_on(
    make: Callable[..., Post], size: int, reader: str
) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        body = await (request.read() if reader == "read" else request.content.read())
        return web.Response(body=body)

    post = make(handler)
    body = b"x" * size
    assert post(signed(body)).body == body
    assert post(signed(body + b"y")).body == body + b"y"


def test_a_handler_that_reads_nothing_leaves_the_connection_usable(make: Callable[..., Post]) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(status=202, text=request[WEBHOOK].provider)

    post = make(handler)
    assert [post(signed(b"x" * size)).status for size in (300_000, 300_001)] == [202, 202]


def test_a_body_over_the_route_s_limit_is_refused_before_it_is_read(make: Callable[..., Post]) -> None:
    ran: list[str] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        ran.append("handler")
        return web.Response()

    post = make(handler, routes={PATH: GITHUB.chain(SECRET, max_body=100)})
    assert post(signed(b"x" * 101)).status == 413
    assert ran == []


def test_a_route_of_a_sub_application_is_its_full_path() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(text=webhook_of(request, GITHUB).path)

    inner = web.Application()
    inner.add_routes([web.post("/github", handler)])
    app = web.Application()
    app.add_subapp("/hooks/", inner)
    setup(app, routes={PATH: GITHUB.chain(SECRET)})
    with ExitStack() as closing:
        post = served(app, closing)
        assert post(signed()._replace(headers={})).status == 401
        assert post(signed()).body == PATH.encode()


def test_a_sender_who_hangs_up_half_way_runs_nothing(make: Callable[..., Post]) -> None:
    ran: list[str] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        ran.append("handler")
        return web.Response()

    async def scenario() -> None:
        app = web.Application()
        app.add_routes([web.post(PATH, handler)])
        setup(app, routes={PATH: GITHUB.chain(SECRET)})
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf".encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep(0.1)
        await runner.cleanup()

    asyncio.run(scenario())
    assert ran == []


def test_an_application_is_latched_once() -> None:
    app = web.Application()
    setup(app, routes={PATH: GITHUB.chain(SECRET)})
    with pytest.raises(ConfigError, match="latched already"):
        setup(app, routes={PATH: GITHUB.chain(SECRET)})


def test_settings_that_cannot_be_trusted_leave_the_application_as_it_was() -> None:
    app = web.Application()
    with pytest.raises(ConfigError, match="routes"):
        setup(app)
    assert not app.middlewares


def test_the_answer_to_a_head_request_is_a_refusal_without_a_body(make: Callable[..., Post]) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response()

    answer: Answered = make(handler)(signed()._replace(method="HEAD"))
    assert (answer.status, answer.body) == (405, b"")
