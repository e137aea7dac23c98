"""Quart: install the middleware, read the verdict, lock a view a second time.

    latch = Hooklatch()
    latch.init_app(app, routes={"/hooks/github": GITHUB.chain(secret)}, protect=["/hooks/*"])

    @app.post("/hooks/github")
    @verified(GITHUB)
    async def push():
        event = await request.get_json()
        app.logger.info("%s %s", webhook.provider, event["ref"])
        return "", 204

The door stands around ``app.asgi_app``: a refusal comes before ``before_request``. Inside, ``get_data``, ``get_json``,
``form`` and ``files`` work as ever. ``webhook`` and ``verified`` work as in ``hooklatch.flask``.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

from quart import Quart, Response, abort, has_request_context, request
from werkzeug.local import LocalProxy

from hooklatch.asgi import WebhookMiddleware
from hooklatch.errors import NotProven
from hooklatch.extension import Extension
from hooklatch.lock import BODY, MEDIA_TYPE, STATUS, demand, headers, locked, sender
from hooklatch.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from hooklatch.chain import Chain
    from hooklatch.provider import Provider
    from hooklatch.types import Webhook

__all__ = ["Hooklatch", "Settings", "verified", "webhook"]

_TEST_ALLOWED: Final = "hooklatch.quart.test_allowed"

Arguments = ParamSpec("Arguments")
Returned = TypeVar("Returned")


class Hooklatch(Extension[Quart]):
    """Installs ``WebhookMiddleware`` in Quart applications; see ``hooklatch.extension``."""

    kind = Quart
    slot = "asgi_app"
    door = WebhookMiddleware


def _current() -> Webhook:
    """Return the verdict on the current request."""
    if not has_request_context():
        msg = "hooklatch.quart.webhook belongs to a request, and none is being handled here"
        raise RuntimeError(msg)
    return _demand(None, allow_test=request.scope.get(_TEST_ALLOWED) is True)


webhook: Webhook = LocalProxy(_current)  # type: ignore[assignment]
"""The verdict on the current request; 401 where there is none. See ``hooklatch.flask.webhook``."""


def verified(
    expected: Provider | Chain | str, *, allow_test: bool = False
) -> Callable[[Callable[Arguments, Returned]], Callable[Arguments, Returned]]:
    """Return a decorator for views, async or sync: 401 unless *expected* sent this very request.

    It goes below ``@app.post(...)``. *expected*: the provider, its name, or the route's chain; *allow_test*: whether
    test traffic that the route marks (``on_test="mark"``) may come in. Raises ``ConfigError`` for anything else.
    """
    sender(expected, "@verified(GITHUB)")

    def lock() -> None:
        _demand(expected, allow_test=allow_test)
        # The scope is the door's own copy.
        request.scope[_TEST_ALLOWED] = allow_test  # type: ignore[typeddict-unknown-key]

    return partial(locked, lock)


def _demand(expected: Provider | Chain | str | None, *, allow_test: bool) -> Webhook:
    """Return the verdict on the current request, or end the request with the door's own 401."""
    try:
        return demand(request, expected, allow_test=allow_test)
    except NotProven:
        abort(Response(BODY, STATUS, headers(), content_type=MEDIA_TYPE))
