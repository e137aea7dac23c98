"""Connexion, with handlers of its own and with Flask's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import connexion
import flask
from connexion.middleware import MiddlewarePosition
from connexion.resolver import Resolver
from starlette.responses import Response, StreamingResponse

from framework_record import Record, asgi_post, seen
from hooklatch import get_webhook
from hooklatch.asgi import WebhookMiddleware
from hooklatch.providers import GITHUB, STRIPE
from hooklatch.starlette import webhook_of

if TYPE_CHECKING:
    from framework_record import Post


def _body(kind: str, **properties: Any) -> dict[str, Any]:
    return {"requestBody": {"content": {kind: {"schema": {"type": "object", "properties": properties}}}}}


_LIST = {"type": "array", "items": {"type": "string"}}
_TEXT = {"type": "string"}
BODIES = {
    "/hooks/json": _body("application/json"),
    "/hooks/form": _body("application/x-www-form-urlencoded", payload=_LIST, n=_LIST),
    "/hooks/multipart": _body("multipart/form-data", title=_TEXT, file={**_TEXT, "format": "binary"}),
}


def own(record: Record) -> dict[str, Any]:
    async def raw() -> Any:
        record.run(connexion.request)
        # Connexion has read a form before a handler can; the bytes are in the verdict.
        return Response(get_webhook(connexion.request).body)

    async def json(body: Any) -> Any:
        record.run(connexion.request)
        return body

    async def form(body: Any) -> Any:
        record.run(connexion.request)
        return body

    async def multipart(body: Any, file: Any) -> Any:
        record.run(connexion.request)
        return [body["title"], file.filename, (await file.read()).hex()]

    async def work() -> Any:
        record.run(connexion.request)
        return Response(status_code=record.status())

    async def stream() -> Any:
        record.run(connexion.request)
        return StreamingResponse(record.apieces())

    def locked(expected: Any, *, allow_test: bool = False) -> Any:
        async def handler() -> Any:
            webhook = webhook_of(connexion.request, expected, allow_test=allow_test)
            record.run(connexion.request)
            return seen(webhook)

        return handler

    async def elsewhere() -> Any:
        return Response(await connexion.request.body())

    return {
        "/hooks/raw": raw,
        "/hooks/json": json,
        "/hooks/form": form,
        "/hooks/multipart": multipart,
        "/hooks/work": work,
        "/hooks/stream": stream,
        "/hooks/github": locked(GITHUB),
        "/hooks/stripe": locked(STRIPE),
        "/hooks/open": locked(GITHUB, allow_test=True),
        "/elsewhere/github": locked(GITHUB),
        "/elsewhere/raw": elsewhere,
    }


def flasks(record: Record) -> dict[str, Any]:
    def raw() -> Any:
        record.run(flask.request)
        return flask.Response(get_webhook(flask.request).body)

    def json() -> Any:
        record.run(flask.request)
        return flask.request.get_json()

    def form() -> Any:
        record.run(flask.request)
        return {name: flask.request.form.getlist(name) for name in flask.request.form}

    def multipart() -> Any:
        record.run(flask.request)
        file = flask.request.files["file"]
        return [flask.request.form["title"], file.filename, file.read().hex()]

    def work() -> Any:
        record.run(flask.request)
        return flask.Response(status=record.status())

    def stream() -> Any:
        record.run(flask.request)
        return flask.Response(record.pieces())

    def locked(expected: Any, *, allow_test: bool = False) -> Any:
        def handler() -> Any:
            webhook = webhook_of(connexion.request, expected, allow_test=allow_test)
            record.run(flask.request)
            return seen(webhook)

        return handler

    def elsewhere() -> Any:
        return flask.Response(flask.request.get_data())

    return {
        "/hooks/raw": raw,
        "/hooks/json": json,
        "/hooks/form": form,
        "/hooks/multipart": multipart,
        "/hooks/work": work,
        "/hooks/stream": stream,
        "/hooks/github": locked(GITHUB),
        "/hooks/stripe": locked(STRIPE),
        "/hooks/open": locked(GITHUB, allow_test=True),
        "/elsewhere/github": locked(GITHUB),
        "/elsewhere/raw": elsewhere,
    }


def _latched(app: Any, handlers: dict[str, Any], record: Record, settings: dict[str, Any]) -> Post:
    answers = {"responses": {"default": {"description": "any"}}}
    paths = {path: {"post": {"operationId": path, **answers, **BODIES.get(path, {})}} for path in handlers}
    specification = {"openapi": "3.0.3", "info": {"title": "matrix", "version": "1"}, "paths": paths}
    app.add_api(specification, resolver=Resolver(handlers.__getitem__))
    app.add_middleware(WebhookMiddleware, position=MiddlewarePosition.BEFORE_EXCEPTION, **settings)
    return asgi_post(app, record.closing)


def build_own(record: Record, **settings: Any) -> Post:
    return _latched(connexion.AsyncApp("matrix"), own(record), record, settings)


def build_flask(record: Record, **settings: Any) -> Post:
    return _latched(connexion.FlaskApp("matrix"), flasks(record), record, settings)


BUILDS = {"connexion": build_own, "connexion-flask": build_flask}
