"""Sanic, served by an ASGI server: wrap the application, read the verdict.

    app = Sanic("shop")

    @app.post("/hooks/github")
    @verified(GITHUB)
    async def push(request):
        return json({"from": request.ctx.webhook.provider, "ref": request.json["ref"]})

    application = WebhookMiddleware(app, routes={"/hooks/github": GITHUB.chain(secret)}, protect=["/hooks/*"])

``WebhookMiddleware`` is that of ``hooklatch.asgi``; serve ``application`` with uvicorn, hypercorn or granian. Sanic's
own server speaks no ASGI: under it nothing is judged, and ``verified``, the second lock, answers 401 to everybody.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from sanic.exceptions import Unauthorized

from hooklatch.asgi import WebhookMiddleware
from hooklatch.errors import NotProven
from hooklatch.lock import demand, headers, sender

if TYPE_CHECKING:
    from collections.abc import Callable

    from sanic import Request

    from hooklatch.chain import Chain
    from hooklatch.provider import Provider
    from hooklatch.types import Webhook

__all__ = ["WebhookMiddleware", "verified", "webhook_of"]

Arguments = ParamSpec("Arguments")
Returned = TypeVar("Returned")


def webhook_of(
    request: Request[Any, Any], expected: Provider | Chain | str | None = None, *, allow_test: bool = False
) -> Webhook:
    """Return the verdict on *request*, or raise the ``Unauthorized`` that becomes a 401.

    *expected* and *allow_test* are those of ``hooklatch.get_webhook``, which is this function without a framework.
    """
    try:
        return demand(request, expected, allow_test=allow_test)
    except NotProven as missing:
        raise Unauthorized(quiet=True, headers=headers()) from missing


def verified(
    expected: Provider | Chain | str, *, allow_test: bool = False
) -> Callable[
    [Callable[Concatenate[Request[Any, Any], Arguments], Returned]],
    Callable[Concatenate[Request[Any, Any], Arguments], Returned],
]:
    """Return a decorator for handlers, async or sync: 401 unless *expected* sent this very request.

    The handler finds the verdict in ``request.ctx.webhook``. *expected*: the provider, its name, or the route's chain;
    *allow_test*: whether test traffic that the route marks (``on_test="mark"``) may come in. Raises ``ConfigError`` for
    anything else.
    """
    sender(expected, "@verified(GITHUB)")

    def decorate(
        handler: Callable[Concatenate[Request[Any, Any], Arguments], Returned],
    ) -> Callable[Concatenate[Request[Any, Any], Arguments], Returned]:
        # Sanic awaits whatever a handler returns, if that can be awaited.
        @wraps(handler)
        def called(request: Request[Any, Any], /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Returned:
            request.ctx.webhook = webhook_of(request, expected, allow_test=allow_test)
            return handler(request, *args, **kwargs)

        return called

    return decorate
