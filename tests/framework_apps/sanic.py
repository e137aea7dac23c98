"""Sanic in ASGI mode."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from sanic import Sanic
from sanic.response import HTTPResponse, empty, json, raw

from framework_record import Record, asgi_post, seen
from hooklatch.providers import GITHUB, STRIPE
from hooklatch.sanic import WebhookMiddleware, verified

if TYPE_CHECKING:
    from sanic import Request

    from framework_record import Post


def build(record: Record, **settings: Any) -> Post:
    app = Sanic(f"matrix-{uuid.uuid4().hex}", configure_logging=False)
    # Sanic rewrites classes of its own when an application starts, and can do so once in a process.
    app.config.TOUCHUP = False

    async def as_raw(request: Request) -> HTTPResponse:
        record.run(request)
        return raw(request.body)

    async def as_json(request: Request) -> HTTPResponse:
        record.run(request)
        return json(request.json)

    async def as_form(request: Request) -> HTTPResponse:
        record.run(request)
        assert request.form is not None
        return json(dict(request.form))

    async def as_multipart(request: Request) -> HTTPResponse:
        record.run(request)
        assert request.form is not None
        assert request.files is not None
        file = request.files["file"][0]
        return json([request.form["title"][0], file.name, file.body.hex()])

    async def work(request: Request) -> HTTPResponse:
        record.run(request)
        return empty(status=record.status())

    async def stream(request: Request) -> None:
        record.run(request)
        response = await request.respond(content_type="text/plain")
        assert response is not None
        async for piece in record.apieces():
            await response.send(piece)
        await response.eof()

    async def locked(request: Request) -> HTTPResponse:
        record.run(request)
        return json(seen(request.ctx.webhook))

    def plain(request: Request) -> HTTPResponse:
        record.run(request)
        return json(seen(request.ctx.webhook))

    async def elsewhere(request: Request) -> HTTPResponse:
        return raw(request.body)

    handlers: dict[str, Any] = {
        "/hooks/raw": as_raw,
        "/hooks/json": as_json,
        "/hooks/form": as_form,
        "/hooks/multipart": as_multipart,
        "/hooks/work": work,
        "/hooks/stream": stream,
        "/hooks/github": verified(GITHUB)(locked),
        "/hooks/stripe": verified(STRIPE)(locked),
        "/hooks/open": verified(GITHUB, allow_test=True)(plain),
        "/elsewhere/github": verified(GITHUB)(locked),
        "/elsewhere/raw": elsewhere,
    }
    for number, (path, handler) in enumerate(handlers.items()):
        app.add_route(handler, path, methods=["POST"], name=f"handler_{number}")
    return asgi_post(WebhookMiddleware(app, **settings), record.closing)


BUILDS = {"sanic": build}
