"""Starlette: install the middleware, read the verdict.

    latch = Middleware(WebhookMiddleware, routes={"/hooks/github": GITHUB.chain(secret)}, protect=["/hooks/*"])
    app = Starlette(routes=[Route("/hooks/github", push, methods=["POST"])], middleware=[latch])

    async def push(request: Request) -> Response:
        webhook = webhook_of(request, GITHUB)
        event = await request.json()
        return Response(status_code=204)

``WebhookMiddleware`` is that of ``hooklatch.asgi``. Name it first in ``middleware=[...]``, so that it is outermost: a
``BaseHTTPMiddleware`` outside of it that takes ``request.stream()`` or ``request.form()`` takes the body away, and the
latch answers 400. It also fits ``Mount(..., middleware=[...])`` and ``Route(..., middleware=[...])``; its routes may be
written with the mount's prefix or without. Background tasks run after the delivery was committed.

``request.state.webhook`` is the verdict as the latch attached it. ``webhook_of`` is the second lock: it believes only
one that was given for this very request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from hooklatch.asgi import WebhookMiddleware
from hooklatch.errors import NotProven
from hooklatch.lock import STATUS, demand, headers

if TYPE_CHECKING:
    from starlette.requests import Request

    from hooklatch.chain import Chain
    from hooklatch.provider import Provider
    from hooklatch.types import Webhook

__all__ = ["WebhookMiddleware", "webhook_of"]


def webhook_of(
    request: Request, expected: Provider | Chain | str | None = None, *, allow_test: bool = False
) -> Webhook:
    """Return the verdict on *request*, or raise the ``HTTPException`` that becomes a 401.

    For endpoints: above the router (in a middleware) Starlette makes no answer of an ``HTTPException``. *expected* and
    *allow_test* are those of ``hooklatch.get_webhook``, which is this function without a framework.
    """
    try:
        return demand(request, expected, allow_test=allow_test)
    except NotProven as missing:
        raise HTTPException(STATUS, headers=headers()) from missing
