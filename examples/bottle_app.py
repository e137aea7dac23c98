"""Bottle: run it with `gunicorn examples.bottle_app:app`."""

import os

from bottle import Bottle, request

from hooklatch import Webhook
from hooklatch.bottle import WebhookMiddleware, verified
from hooklatch.providers import GITHUB

hooks = Bottle()


@hooks.post("/hooks/github")
@verified(GITHUB)
def push(webhook: Webhook) -> dict[str, str]:
    return {"from": webhook.provider, "ref": request.json["ref"]}


app = WebhookMiddleware(
    hooks,
    routes={"/hooks/github": GITHUB.chain(os.environ["GITHUB_SECRET"])},
    protect=["/hooks/*"],
)
