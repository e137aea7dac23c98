"""Litestar, with the door around the application, and as a middleware of every handler."""

# No postponed annotations: Litestar reads those of handlers that are made inside a function.
from typing import Any

from litestar import Litestar, Request, Response, post
from litestar.datastructures import UploadFile
from litestar.middleware import DefineMiddleware
from litestar.params import JSONBody, MultipartBody
from litestar.response import Stream

from framework_record import Post, Record, asgi_post, seen
from hooklatch.litestar import Proven, WebhookMiddleware, verified
from hooklatch.providers import GITHUB, STRIPE

AnyRequest = Request[Any, Any, Any]


def application(record: Record, **options: Any) -> Litestar:
    @post("/hooks/raw", status_code=200)
    async def raw(request: AnyRequest) -> Response[bytes]:
        record.run(request)
        return Response(await request.body(), media_type="application/octet-stream")

    @post("/hooks/json", status_code=200)
    async def json(request: AnyRequest, data: JSONBody[dict[str, Any]]) -> dict[str, Any]:
        record.run(request)
        return data

    @post("/hooks/form", status_code=200)
    async def form(request: AnyRequest) -> dict[str, list[str]]:
        record.run(request)
        fields = await request.form()
        return {name: fields.getall(name) for name in fields}

    @post("/hooks/multipart", status_code=200)
    async def multipart(request: AnyRequest, data: MultipartBody[dict[str, Any]]) -> list[str]:
        record.run(request)
        file = data["file"]
        assert isinstance(file, UploadFile)
        return [data["title"], file.filename, (await file.read()).hex()]

    @post("/hooks/work")
    async def work(request: AnyRequest) -> Response[None]:
        record.run(request)
        return Response(None, status_code=record.status())

    @post("/hooks/stream", status_code=200)
    async def stream(request: AnyRequest) -> Stream:
        record.run(request)
        return Stream(record.apieces())

    @post(["/hooks/github", "/elsewhere/github"], status_code=200, dependencies={"webhook": verified(GITHUB)})
    async def github(request: AnyRequest, webhook: Proven) -> list[Any]:
        record.run(request)
        return seen(webhook)

    @post("/hooks/stripe", status_code=200, dependencies={"webhook": verified(STRIPE)})
    async def stripe(request: AnyRequest, webhook: Proven) -> list[Any]:
        record.run(request)
        return seen(webhook)

    @post("/hooks/open", status_code=200, dependencies={"webhook": verified(GITHUB, allow_test=True)})
    async def opened(request: AnyRequest, webhook: Proven) -> list[Any]:
        record.run(request)
        return seen(webhook)

    @post("/elsewhere/raw", status_code=200)
    async def elsewhere(request: AnyRequest) -> Response[bytes]:
        return Response(await request.body(), media_type="application/octet-stream")

    handlers = [raw, json, form, multipart, work, stream, github, stripe, opened, elsewhere]
    return Litestar(handlers, openapi_config=None, logging_config=None, **options)


def build(record: Record, **settings: Any) -> Post:
    return asgi_post(WebhookMiddleware(application(record), **settings))  # type: ignore[arg-type]


def build_inside(record: Record, **settings: Any) -> Post:
    middleware: Any = WebhookMiddleware
    return asgi_post(application(record, middleware=[DefineMiddleware(middleware, **settings)]))


BUILDS = {"litestar": build, "litestar-middleware": build_inside}
