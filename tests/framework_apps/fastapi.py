"""FastAPI."""

# No postponed annotations: the dependencies are made inside a function.
from typing import Annotated, Any

from fastapi import Depends, FastAPI, File, Form, Request, Response, UploadFile
from fastapi.responses import StreamingResponse

from framework_record import Post, Record, asgi_post, seen
from hooklatch import Webhook
from hooklatch.fastapi import WebhookMiddleware, verified
from hooklatch.providers import GITHUB, STRIPE


def build(record: Record, **settings: Any) -> Post:
    app = FastAPI()

    def ran(request: Request) -> None:
        record.run(request)

    running = [Depends(ran)]

    @app.post("/hooks/raw", dependencies=running)
    async def raw(request: Request) -> Any:
        return Response(await request.body())

    @app.post("/hooks/json", dependencies=running)
    async def json(event: dict[str, Any]) -> Any:
        return event

    @app.post("/hooks/form", dependencies=running)
    def form(n: Annotated[list[str], Form()], payload: Annotated[list[str], Form()]) -> Any:
        return {"payload": payload, "n": n}

    @app.post("/hooks/multipart", dependencies=running)
    async def multipart(title: Annotated[str, Form()], file: Annotated[UploadFile, File()]) -> Any:
        return [title, file.filename, (await file.read()).hex()]

    @app.post("/hooks/work", dependencies=running)
    def work() -> Any:
        return Response(status_code=record.status())

    @app.post("/hooks/stream", dependencies=running)
    async def stream() -> Any:
        return StreamingResponse(record.apieces())

    @app.post("/hooks/github")
    @app.post("/elsewhere/github")
    async def github(request: Request, webhook: Annotated[Webhook, verified(GITHUB)]) -> Any:
        record.run(request)
        return seen(webhook)

    @app.post("/hooks/stripe")
    async def stripe(request: Request, webhook: Annotated[Webhook, verified(STRIPE)]) -> Any:
        record.run(request)
        return seen(webhook)

    @app.post("/hooks/open")
    async def opened(request: Request, webhook: Annotated[Webhook, verified(GITHUB, allow_test=True)]) -> Any:
        record.run(request)
        return seen(webhook)

    @app.post("/elsewhere/raw")
    async def elsewhere(request: Request) -> Any:
        return Response(await request.body())

    app.add_middleware(WebhookMiddleware, **settings)
    return asgi_post(app)


BUILDS = {"fastapi": build}
