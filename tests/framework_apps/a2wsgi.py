"""a2wsgi, in both directions: the door in one world, the framework in the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from a2wsgi import ASGIMiddleware, WSGIMiddleware

from framework_apps import flask, starlette
from framework_record import Record, asgi_post, wsgi_post
from hooklatch import asgi, wsgi

if TYPE_CHECKING:
    from framework_record import Post


def build_flask_under_asgi(record: Record, **settings: Any) -> Post:
    inner: Any = flask.application(record)
    bridge: Any = WSGIMiddleware(inner)
    return asgi_post(asgi.WebhookMiddleware(bridge, **settings))


def build_starlette_under_wsgi(record: Record, **settings: Any) -> Post:
    bridge: Any = ASGIMiddleware(starlette.application(record))  # type: ignore[arg-type]
    return wsgi_post(wsgi.WebhookMiddleware(bridge, **settings))


# Its loop ends as soon as the application is done, and may not look whether an error is still on its way.
WHOLE = {"a2wsgi-starlette"}
BUILDS = {"a2wsgi-flask": build_flask_under_asgi, "a2wsgi-starlette": build_starlette_under_wsgi}
