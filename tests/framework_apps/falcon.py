"""Falcon, in both worlds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import falcon
import falcon.asgi
import falcon.testing

from framework_record import Record, asgi_post, seen, wsgi_post
from hooklatch.falcon import latched, verified
from hooklatch.providers import GITHUB, STRIPE

if TYPE_CHECKING:
    from framework_record import Post


class Sync:
    def __init__(self, record: Record) -> None:
        self.record = record

    def on_post_raw(self, req: falcon.Request, resp: falcon.Response) -> None:
        self.record.run(req)
        resp.data = req.bounded_stream.read()

    def on_post_json(self, req: falcon.Request, resp: falcon.Response) -> None:
        self.record.run(req)
        resp.media = req.get_media()

    def on_post_form(self, req: falcon.Request, resp: falcon.Response) -> None:
        self.record.run(req)
        resp.media = {name: each if isinstance(each, list) else [each] for name, each in req.get_media().items()}

    def on_post_multipart(self, req: falcon.Request, resp: falcon.Response) -> None:
        self.record.run(req)
        parts = {part.name: (part.filename, part.stream.read()) for part in req.get_media()}
        resp.media = [parts["title"][1].decode(), parts["file"][0], parts["file"][1].hex()]

    def on_post_work(self, req: falcon.Request, resp: falcon.Response) -> None:
        self.record.run(req)
        resp.status = self.record.status()

    def on_post_stream(self, req: falcon.Request, resp: falcon.Response) -> None:
        self.record.run(req)
        resp.stream = self.record.pieces()

    @verified(GITHUB)
    def on_post_github(self, req: falcon.Request, resp: falcon.Response) -> None:
        self.record.run(req)
        resp.media = seen(req.context.webhook)

    def on_post_elsewhere(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.data = req.bounded_stream.read()


class Async:
    def __init__(self, record: Record) -> None:
        self.record = record

    async def on_post_raw(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        self.record.run(req)
        resp.data = await req.bounded_stream.read()

    async def on_post_json(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        self.record.run(req)
        resp.media = await req.get_media()

    async def on_post_form(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        self.record.run(req)
        fields = await req.get_media()
        resp.media = {name: each if isinstance(each, list) else [each] for name, each in fields.items()}

    async def on_post_multipart(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        self.record.run(req)
        parts = {part.name: (part.filename, await part.stream.read()) async for part in await req.get_media()}
        resp.media = [parts["title"][1].decode(), parts["file"][0], parts["file"][1].hex()]

    async def on_post_work(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        self.record.run(req)
        resp.status = self.record.status()

    async def on_post_stream(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        self.record.run(req)
        resp.stream = self.record.apieces()

    @verified(GITHUB)
    async def on_post_github(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        self.record.run(req)
        resp.media = seen(req.context.webhook)

    async def on_post_elsewhere(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        resp.data = await req.bounded_stream.read()


class SyncLocked:
    def __init__(self, record: Record) -> None:
        self.record = record

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        self.record.run(req)
        resp.media = seen(req.context.webhook)


class AsyncLocked:
    def __init__(self, record: Record) -> None:
        self.record = record

    async def on_post(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        self.record.run(req)
        resp.media = seen(req.context.webhook)


def _routed(app: Any, resource: Any, locked: Any, record: Record) -> Any:
    for name in ("raw", "json", "form", "multipart", "work", "stream", "github"):
        app.add_route(f"/hooks/{name}", resource, suffix=name)
    app.add_route("/elsewhere/github", resource, suffix="github")
    app.add_route("/elsewhere/raw", resource, suffix="elsewhere")
    # A whole resource can be locked as well as one responder.
    app.add_route("/hooks/stripe", verified(STRIPE)(type("Stripe", (locked,), {}))(record))
    app.add_route("/hooks/open", verified(GITHUB, allow_test=True)(type("Open", (locked,), {}))(record))
    return app


def build_wsgi(record: Record, **settings: Any) -> Post:
    app: falcon.App[Any, Any] = _routed(falcon.App(), Sync(record), SyncLocked, record)
    return wsgi_post(latched(app, **settings))


def build_asgi(record: Record, **settings: Any) -> Post:
    app: falcon.asgi.App[Any, Any] = _routed(falcon.asgi.App(), Async(record), AsyncLocked, record)
    return asgi_post(latched(app, **settings))


BUILDS = {"falcon-wsgi": build_wsgi, "falcon-asgi": build_asgi}
