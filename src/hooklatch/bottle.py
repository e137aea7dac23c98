"""Bottle: wrap the application, read the verdict.

    app = Bottle()

    @app.post("/hooks/github")
    @verified(GITHUB)
    def push(webhook):
        return {"from": webhook.provider, "ref": request.json["ref"]}

    app = WebhookMiddleware(app, routes={"/hooks/github": GITHUB.chain(secret)}, protect=["/hooks/*"])
    run(app=app)

``WebhookMiddleware`` is that of ``hooklatch.wsgi``. Wrap the application that is served: Bottle copies the routes of a
*mounted* ``Bottle`` into its parent and never calls what wraps the child. ``verified`` is the second lock; it hands the
verdict to a callback that takes ``webhook``, and also fits ``apply=``.
"""

from __future__ import annotations

from functools import wraps
from inspect import signature
from typing import TYPE_CHECKING, ParamSpec, TypeVar, cast

from bottle import HTTPResponse, request

from hooklatch.errors import NotProven
from hooklatch.lock import BODY, MEDIA_TYPE, STATUS, demand, headers, sender
from hooklatch.wsgi import WebhookMiddleware

if TYPE_CHECKING:
    from collections.abc import Callable

    from hooklatch.chain import Chain
    from hooklatch.provider import Provider
    from hooklatch.types import Webhook

__all__ = ["WebhookMiddleware", "verified", "webhook_of"]

Arguments = ParamSpec("Arguments")
Returned = TypeVar("Returned")


def webhook_of(expected: Provider | Chain | str | None = None, *, allow_test: bool = False) -> Webhook:
    """Return the verdict on the current request, or raise the ``HTTPResponse`` that is a 401.

    *expected* and *allow_test* are those of ``hooklatch.get_webhook``, which is this function without a framework.
    """
    try:
        return demand(request, expected, allow_test=allow_test)
    except NotProven as missing:
        raise HTTPResponse(BODY, STATUS, headers() | {"content-type": MEDIA_TYPE}) from missing


def verified(
    expected: Provider | Chain | str, *, allow_test: bool = False
) -> Callable[[Callable[Arguments, Returned]], Callable[Arguments, Returned]]:
    """Return a decorator for callbacks: 401 unless *expected* sent this very request.

    *expected*: the provider, its name, or the route's chain; *allow_test*: whether test traffic that the route marks
    (``on_test="mark"``) may come in. Raises ``ConfigError`` for anything else.
    """
    sender(expected, "@verified(GITHUB)")

    def decorate(callback: Callable[Arguments, Returned]) -> Callable[Arguments, Returned]:
        wanted = "webhook" in signature(callback).parameters

        @wraps(callback)
        def called(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Returned:
            webhook = webhook_of(expected, allow_test=allow_test)
            if wanted:
                kwargs["webhook"] = webhook
            return callback(*args, **kwargs)

        return cast("Callable[Arguments, Returned]", called)

    return decorate
