"""Quart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from quart import Quart, Response, jsonify, request

from framework_record import Record, asgi_post, seen
from hooklatch.providers import GITHUB, STRIPE
from hooklatch.quart import Hooklatch, verified, webhook

if TYPE_CHECKING:
    from framework_record import Post


def application(record: Record) -> Quart:
    app = Quart("matrix")

    @app.post("/hooks/raw")
    async def raw() -> Any:
        record.run(request)
        return await request.get_data()

    @app.post("/hooks/json")
    async def json() -> Any:
        record.run(request)
        return jsonify(await request.get_json())

    @app.post("/hooks/form")
    async def form() -> Any:
        record.run(request)
        fields = await request.form
        return jsonify({name: fields.getlist(name) for name in fields})

    @app.post("/hooks/multipart")
    async def multipart() -> Any:
        record.run(request)
        file = (await request.files)["file"]
        return jsonify([(await request.form)["title"], file.filename, file.read().hex()])

    @app.post("/hooks/work")
    async def work() -> Any:
        record.run(request)
        return "", record.status()

    @app.post("/hooks/stream")
    async def stream() -> Any:
        record.run(request)
        return Response(record.apieces())

    @app.post("/hooks/github")
    @app.post("/elsewhere/github", endpoint="unjudged")
    @verified(GITHUB)
    async def github() -> Any:
        record.run(request)
        return jsonify(seen(webhook))

    @app.post("/hooks/stripe")
    @verified(STRIPE)
    async def stripe() -> Any:
        record.run(request)
        return jsonify(seen(webhook))

    @app.post("/hooks/open")
    @verified(GITHUB, allow_test=True)
    async def opened() -> Any:
        record.run(request)
        return jsonify(seen(webhook))

    @app.post("/elsewhere/raw")
    async def elsewhere() -> Any:
        return await request.get_data()

    return app


def build(record: Record, **settings: Any) -> Post:
    app = application(record)
    Hooklatch(app, **settings)
    return asgi_post(app)


BUILDS = {"quart": build}
