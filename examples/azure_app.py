"""Azure Functions: `main` is the function of an HTTP trigger whose route takes every path."""

import os

import azure.functions as func
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
middleware = func.AsgiMiddleware(latched)


async def main(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    return await middleware.handle_async(req, context)
