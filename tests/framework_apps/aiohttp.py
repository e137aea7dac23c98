"""aiohttp, on a socket of its own test server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from framework_record import Record, seen
from hooklatch.aiohttp import WEBHOOK, setup, verified
from hooklatch.providers import GITHUB, STRIPE
from hooklatch.testing import Answered

if TYPE_CHECKING:
    from contextlib import ExitStack

    from framework_record import Post
    from hooklatch import Delivery


def application(record: Record) -> web.Application:
    async def raw(request: web.Request) -> web.StreamResponse:
        record.run(request)
        return web.Response(body=await request.read())

    async def json(request: web.Request) -> web.StreamResponse:
        record.run(request)
        return web.json_response(await request.json())

    async def form(request: web.Request) -> web.StreamResponse:
        record.run(request)
        fields = await request.post()
        return web.json_response({name: fields.getall(name) for name in fields})

    async def multipart(request: web.Request) -> web.StreamResponse:
        record.run(request)
        fields = await request.post()
        file = fields["file"]
        assert isinstance(file, web.FileField)
        return web.json_response([fields["title"], file.filename, file.file.read().hex()])

    async def work(request: web.Request) -> web.StreamResponse:
        record.run(request)
        return web.Response(status=record.status())

    async def stream(request: web.Request) -> web.StreamResponse:
        record.run(request)
        response = web.StreamResponse()
        await response.prepare(request)
        async for piece in record.apieces():
            await response.write(piece)
        return response

    async def locked(request: web.Request) -> web.StreamResponse:
        record.run(request)
        return web.json_response(seen(request[WEBHOOK]))

    async def elsewhere(request: web.Request) -> web.StreamResponse:
        return web.Response(body=await request.read())

    handlers = {
        "/hooks/raw": raw,
        "/hooks/json": json,
        "/hooks/form": form,
        "/hooks/multipart": multipart,
        "/hooks/work": work,
        "/hooks/stream": stream,
        "/hooks/github": verified(GITHUB)(locked),
        "/hooks/stripe": verified(STRIPE)(locked),
        "/hooks/open": verified(GITHUB, allow_test=True)(locked),
        "/elsewhere/github": verified(GITHUB)(locked),
        "/elsewhere/raw": elsewhere,
    }
    app = web.Application()
    app.add_routes([web.post(path, handler) for path, handler in handlers.items()])
    return app


def served(app: web.Application, closing: ExitStack) -> Post:
    """Return how to post to *app*, over TCP; a stream that breaks off has the status it began with."""
    runner = closing.enter_context(asyncio.Runner())

    async def client() -> TestClient[Any, Any]:
        return TestClient(TestServer(app))

    clients = runner.run(client())
    runner.run(clients.start_server())
    closing.callback(lambda: runner.run(clients.close()))

    async def once(delivery: Delivery) -> Answered:
        method, url, headers, body = delivery
        async with clients.request(method, url, headers=headers, data=body) as response:
            try:
                content = await response.read()
            except Exception:  # noqa: BLE001 - however the line broke
                content = b""
            return Answered(response.status, tuple(response.headers.items()), content)

    return lambda delivery: runner.run(asyncio.wait_for(once(delivery), 20))


def build(record: Record, **settings: Any) -> Post:
    app = application(record)
    setup(app, **settings)
    return served(app, record.closing)


BUILDS = {"aiohttp": build}
