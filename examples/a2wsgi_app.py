"""a2wsgi: a Flask application on an ASGI server; run it with `uvicorn examples.a2wsgi_app:app`."""

import os

from a2wsgi import WSGIMiddleware
from flask import Flask, request

from hooklatch.asgi import WebhookMiddleware
from hooklatch.flask import verified, webhook
from hooklatch.providers import GITHUB

inner = Flask(__name__)


@inner.post("/hooks/github")
@verified(GITHUB)
def push() -> dict[str, str]:
    return {"from": webhook.provider, "ref": request.get_json()["ref"]}


app = WebhookMiddleware(
    WSGIMiddleware(inner),
    routes={"/hooks/github": GITHUB.chain(os.environ["GITHUB_SECRET"])},
    protect=["/hooks/*"],
)
