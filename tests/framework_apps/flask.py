"""Flask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Flask, Response, jsonify, request

from framework_record import Record, seen, wsgi_post
from hooklatch.flask import Hooklatch, verified, webhook
from hooklatch.providers import GITHUB, STRIPE

if TYPE_CHECKING:
    from framework_record import Post


def application(record: Record) -> Flask:
    app = Flask("matrix")

    @app.post("/hooks/raw")
    def raw() -> Any:
        record.run(request)
        return request.get_data()

    @app.post("/hooks/json")
    def json() -> Any:
        record.run(request)
        return jsonify(request.get_json())

    @app.post("/hooks/form")
    def form() -> Any:
        record.run(request)
        return jsonify({name: request.form.getlist(name) for name in request.form})

    @app.post("/hooks/multipart")
    def multipart() -> Any:
        record.run(request)
        file = request.files["file"]
        return jsonify([request.form["title"], file.filename, file.read().hex()])

    @app.post("/hooks/work")
    def work() -> Any:
        record.run(request)
        return "", record.status()

    @app.post("/hooks/stream")
    def stream() -> Any:
        record.run(request)
        return Response(record.pieces())

    @app.post("/hooks/github")
    @app.post("/elsewhere/github", endpoint="unjudged")
    @verified(GITHUB)
    def github() -> Any:
        record.run(request)
        return jsonify(seen(webhook))

    @app.post("/hooks/stripe")
    @verified(STRIPE)
    def stripe() -> Any:
        record.run(request)
        return jsonify(seen(webhook))

    @app.post("/hooks/open")
    @verified(GITHUB, allow_test=True)
    def opened() -> Any:
        record.run(request)
        return jsonify(seen(webhook))

    @app.post("/elsewhere/raw")
    def elsewhere() -> Any:
        return request.get_data()

    return app


def build(record: Record, **settings: Any) -> Post:
    app = application(record)
    Hooklatch(app, **settings)
    return wsgi_post(app)


BUILDS = {"flask": build}
