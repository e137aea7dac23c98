"""Connexion: run it with `uvicorn examples.connexion_app:app`."""

import os

import connexion
from connexion.middleware import MiddlewarePosition
from connexion.resolver import Resolver

from hooklatch.providers import GITHUB
from hooklatch.starlette import WebhookMiddleware, webhook_of

SPECIFICATION = {
    "openapi": "3.0.3",
    "info": {"title": "hooks", "version": "1"},
    "paths": {
        "/hooks/github": {
            "post": {
                "operationId": "push",
                "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}},
                "responses": {"200": {"description": "processed"}},
            }
        }
    },
}


async def push(body: dict[str, str]) -> dict[str, str]:
    webhook = webhook_of(connexion.request, GITHUB)
    return {"from": webhook.provider, "ref": body["ref"]}


app = connexion.AsyncApp(__name__)
app.add_api(SPECIFICATION, resolver=Resolver({"push": push}.__getitem__))
app.add_middleware(
    WebhookMiddleware,
    position=MiddlewarePosition.BEFORE_EXCEPTION,
    routes={"/hooks/github": GITHUB.chain(os.environ["GITHUB_SECRET"])},
    protect=["/hooks/*"],
)
