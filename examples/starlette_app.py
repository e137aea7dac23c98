"""Starlette: run it with `uvicorn examples.starlette_app:app`."""

import os

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from hooklatch.providers import GITHUB
from hooklatch.starlette import WebhookMiddleware, webhook_of


async def push(request: Request) -> JSONResponse:
    webhook = webhook_of(request, GITHUB)
    event = await request.json()
    return JSONResponse({"from": webhook.provider, "ref": event["ref"]})


app = Starlette(
    routes=[Route("/hooks/github", push, methods=["POST"])],
    middleware=[
        Middleware(
            WebhookMiddleware,
            routes={"/hooks/github": GITHUB.chain(os.environ["GITHUB_SECRET"])},
            protect=["/hooks/*"],
        ),
    ],
)
