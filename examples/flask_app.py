"""Flask: run it with `gunicorn 'examples.flask_app:create_app()'`."""

import os

from flask import Flask, request

from hooklatch.flask import Hooklatch, verified, webhook
from hooklatch.providers import GITHUB

latch = Hooklatch()


def create_app() -> Flask:
    app = Flask(__name__)
    app.config.from_prefixed_env()
    latch.init_app(
        app,
        routes={"/hooks/github": GITHUB.chain(os.environ["GITHUB_SECRET"])},
        protect=["/hooks/*"],
    )

    @app.post("/hooks/github")
    @verified(GITHUB)
    def push() -> dict[str, str]:
        event = request.get_json()
        return {"from": webhook.provider, "ref": event["ref"]}

    return app
