"""Falcon, WSGI and ASGI: wrap the application, read the verdict.

    class Push:
        @verified(GITHUB)
        def on_post(self, req, resp):
            event = req.media
            resp.status = falcon.HTTP_NO_CONTENT

    app = falcon.App()
    app.add_route("/hooks/github", Push())
    app = latched(app, routes={"/hooks/github": GITHUB.chain(secret)}, protect=["/hooks/*"])

``latched`` wraps in the door of the application's world. A Falcon middleware component that reads ``req.stream`` would
leave ``req.media`` empty; the door does not. ``verified`` is the second lock, a ``falcon.before`` hook for a responder
or a whole resource, and leaves the verdict in ``req.context.webhook``.
"""

from __future__ import annotations

from inspect import getmembers, iscoroutinefunction
from typing import TYPE_CHECKING, Any, TypeVar, Unpack, cast

import falcon
import falcon.asgi

from hooklatch import asgi, wsgi
from hooklatch.errors import ConfigError, NotProven
from hooklatch.lock import demand, headers, sender

if TYPE_CHECKING:
    from collections.abc import Callable

    from hooklatch.chain import Chain
    from hooklatch.provider import Provider
    from hooklatch.settings import Settings
    from hooklatch.types import Webhook

__all__ = ["latched", "verified", "webhook_of"]

Responder = TypeVar("Responder")


def latched(
    app: falcon.App[Any, Any] | falcon.asgi.App[Any, Any], **settings: Unpack[Settings]
) -> wsgi.WebhookMiddleware | asgi.WebhookMiddleware:
    """Return *app* behind the ``WebhookMiddleware`` of its world, which explains the *settings*."""
    merged: Settings = {"routes": {}, **settings}
    if isinstance(app, falcon.asgi.App):
        return asgi.WebhookMiddleware(cast("Any", app), **merged)
    if not isinstance(cast("object", app), falcon.App):
        msg = f"latched() takes a Falcon application, not {type(app).__name__}"
        raise ConfigError(msg)
    return wsgi.WebhookMiddleware(cast("Any", app), **merged)


def webhook_of(
    req: falcon.Request | falcon.asgi.Request,
    expected: Provider | Chain | str | None = None,
    *,
    allow_test: bool = False,
) -> Webhook:
    """Return the verdict on *req*, or raise the ``falcon.HTTPUnauthorized`` that becomes a 401.

    *expected* and *allow_test* are those of ``hooklatch.get_webhook``, which is this function without a framework.
    """
    try:
        return demand(req, expected, allow_test=allow_test)
    except NotProven as missing:
        raise falcon.HTTPUnauthorized(headers=headers()) from missing


def verified(expected: Provider | Chain | str, *, allow_test: bool = False) -> Callable[[Responder], Responder]:
    """Return a decorator for a responder or a resource class: 401 unless *expected* sent this very request.

    *expected*: the provider, its name, or the route's chain; *allow_test*: whether test traffic that the route marks
    (``on_test="mark"``) may come in. Raises ``ConfigError`` for anything else.
    """
    sender(expected, "@verified(GITHUB)")

    def check(req: falcon.Request, resp: object, resource: object, params: object) -> None:  # noqa: ARG001
        req.context.webhook = webhook_of(req, expected, allow_test=allow_test)

    async def check_async(req: falcon.Request, resp: object, resource: object, params: object) -> None:
        check(req, resp, resource, params)

    def decorate(responder: Responder) -> Responder:
        hook: Any = check_async if _is_async(responder) else check
        return cast("Responder", falcon.before(hook)(cast("Any", responder)))

    return decorate


def _is_async(responder: object) -> bool:
    """Return whether *responder*, or a responder of the resource class, is a coroutine function."""
    if not isinstance(responder, type):
        return iscoroutinefunction(responder)
    return any(name.startswith("on_") and iscoroutinefunction(member) for name, member in getmembers(responder))
