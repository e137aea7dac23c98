"""Bottle."""

from __future__ import annotations

import json as codec
from typing import TYPE_CHECKING, Any

from bottle import Bottle, HTTPResponse, request

from framework_record import Record, seen, wsgi_post
from hooklatch.bottle import WebhookMiddleware, verified
from hooklatch.providers import GITHUB, STRIPE

if TYPE_CHECKING:
    from framework_record import Post
    from hooklatch import Webhook


def build(record: Record, **settings: Any) -> Post:
    # What is raised goes to the server, as it does not go through a catch-all's traceback on stderr.
    app = Bottle()
    app.config["catchall"] = False

    def raw() -> Any:
        record.run(request)
        return request.body.read()

    def json() -> Any:
        record.run(request)
        return request.json

    def form() -> Any:
        record.run(request)
        return {name: request.forms.getall(name) for name in request.forms}

    def multipart() -> Any:
        record.run(request)
        file = request.files["file"]
        return codec.dumps([request.forms["title"], file.filename, file.file.read().hex()])

    def work() -> Any:
        record.run(request)
        return HTTPResponse(status=record.status())

    def stream() -> Any:
        record.run(request)
        return record.pieces()

    def github(webhook: Webhook) -> Any:
        record.run(request)
        return codec.dumps(seen(webhook))

    def elsewhere() -> Any:
        return request.body.read()

    for view in (raw, json, form, multipart, work, stream):
        app.post(f"/hooks/{view.__name__}", callback=view)
    app.post(["/hooks/github", "/elsewhere/github"], callback=verified(GITHUB)(github))
    app.post("/hooks/stripe", apply=verified(STRIPE), callback=github)
    app.post("/hooks/open", apply=verified(GITHUB, allow_test=True), callback=github)
    app.post("/elsewhere/raw", callback=elsewhere)
    return wsgi_post(WebhookMiddleware(app, **settings))


BUILDS = {"bottle": build}
