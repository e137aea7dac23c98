"""Starlette."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from framework_record import Record, asgi_post, seen
from hooklatch.providers import GITHUB, STRIPE
from hooklatch.starlette import WebhookMiddleware, webhook_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from framework_record import Post


def application(record: Record, **options: Any) -> Starlette:
    async def raw(request: Request) -> Response:
        record.run(request)
        return Response(await request.body())

    async def json(request: Request) -> Response:
        record.run(request)
        return JSONResponse(await request.json())

    async def form(request: Request) -> Response:
        record.run(request)
        async with request.form() as fields:
            return JSONResponse({name: fields.getlist(name) for name in fields})

    async def multipart(request: Request) -> Response:
        record.run(request)
        async with request.form() as fields:
            file = fields["file"]
            assert isinstance(file, UploadFile)
            return JSONResponse([fields["title"], file.filename, (await file.read()).hex()])

    async def work(request: Request) -> Response:
        record.run(request)
        return Response(status_code=record.status())

    async def stream(request: Request) -> Response:
        record.run(request)
        return StreamingResponse(record.apieces())

    def locked(expected: Any, *, allow_test: bool = False) -> Any:
        async def endpoint(request: Request) -> Response:
            webhook = webhook_of(request, expected, allow_test=allow_test)
            record.run(request)
            return JSONResponse(seen(webhook))

        return endpoint

    async def elsewhere(request: Request) -> Response:
        return Response(await request.body())

    endpoints = {
        "/hooks/raw": raw,
        "/hooks/json": json,
        "/hooks/form": form,
        "/hooks/multipart": multipart,
        "/hooks/work": work,
        "/hooks/stream": stream,
        "/hooks/github": locked(GITHUB),
        "/hooks/stripe": locked(STRIPE),
        "/hooks/open": locked(GITHUB, allow_test=True),
        "/elsewhere/github": locked(GITHUB),
        "/elsewhere/raw": elsewhere,
    }
    return Starlette(routes=[Route(path, made, methods=["POST"]) for path, made in endpoints.items()], **options)


def build(record: Record, **settings: Any) -> Post:
    return asgi_post(application(record, middleware=[Middleware(WebhookMiddleware, **settings)]))


BUILDS = {"starlette": build}
