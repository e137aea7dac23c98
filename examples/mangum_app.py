"""AWS Lambda: the handler's name is `mangum_app.handler`."""

import os

from mangum import Mangum
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from hooklatch.providers import GITHUB
from hooklatch.starlette import WebhookMiddleware, webhook_of


async def push(request: Request) -> JSONResponse:
    webhook = webhook_of(request, GITHUB)
    event = await request.json()
    return JSONResponse({"from": webhook.provider, "ref": event["ref"]})


inner = Starlette(routes=[Route("/hooks/github", push, methods=["POST"])])
latched = WebhookMiddleware(
    inner,
    routes={"/hooks/github": GITHUB.chain(os.environ["GITHUB_SECRET"])},
    protect=["/hooks/*"],
)
handler = Mangum(latched, lifespan="off")
