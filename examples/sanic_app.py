"""Sanic in ASGI mode: run it with `uvicorn examples.sanic_app:app`."""

import os

from sanic import HTTPResponse, Request, Sanic, json

from hooklatch.providers import GITHUB
from hooklatch.sanic import WebhookMiddleware, verified

shop = Sanic("shop")


@shop.post("/hooks/github")
@verified(GITHUB)
async def push(request: Request) -> HTTPResponse:
    return json({"from": request.ctx.webhook.provider, "ref": request.json["ref"]})


app = WebhookMiddleware(
    shop,
    routes={"/hooks/github": GITHUB.chain(os.environ["GITHUB_SECRET"])},
    protect=["/hooks/*"],
)
