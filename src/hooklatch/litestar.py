"""Litestar: wrap the application, take the verdict as a dependency.

    @post("/hooks/github", status_code=204, dependencies={"webhook": verified(GITHUB)})
    async def push(webhook: Proven, data: JSONBody[Push]) -> None: ...

    app = WebhookMiddleware(Litestar([push]), routes={"/hooks/github": GITHUB.chain(secret)}, protect=["/hooks/*"])

``WebhookMiddleware`` is that of ``hooklatch.asgi``. Litestar makes the members of ``middleware=[...]`` anew for every
handler, and only once a handler is found: ``DefineMiddleware(WebhookMiddleware, ...)`` fits a single handler; give it a
store that you made yourself, and wrap the application where there are more. ``data`` is parsed after the verdict, in
any form that Litestar knows; ``verified(...)`` is the second lock, and is asked before the handler runs. A
parameter of the type ``Proven`` is the ``Webhook`` it hands over.
"""

# No postponed annotations: Litestar reads those of the dependency.
from typing import TypeAlias

from litestar import Request
from litestar.di import NamedDependency, Provide
from litestar.exceptions import NotAuthorizedException
from litestar.params import SkipValidation

from hooklatch.asgi import WebhookMiddleware
from hooklatch.chain import Chain
from hooklatch.errors import NotProven
from hooklatch.lock import demand, headers, sender
from hooklatch.provider import Provider
from hooklatch.types import Webhook

__all__ = ["Proven", "WebhookMiddleware", "verified", "webhook_of"]

Proven: TypeAlias = SkipValidation[NamedDependency[Webhook]]
"""A parameter that a ``verified(...)`` dependency fills: a ``Webhook``, which Litestar shall not take apart."""


def webhook_of(
    request: Request,  # type: ignore[type-arg]
    expected: Provider | Chain | str | None = None,
    *,
    allow_test: bool = False,
) -> Webhook:
    """Return the verdict on *request*, or raise the ``NotAuthorizedException`` that becomes a 401.

    *expected* and *allow_test* are those of ``hooklatch.get_webhook``, which is this function without a framework.
    """
    try:
        return demand(request, expected, allow_test=allow_test)
    except NotProven as missing:
        raise NotAuthorizedException(headers=headers()) from missing


def verified(expected: Provider | Chain | str, *, allow_test: bool = False) -> Provide:
    """Return the dependency that hands over the verdict, and answers 401 unless *expected* sent this very request.

    *expected*: the provider, its name, or the route's chain; *allow_test*: whether test traffic that the route marks
    (``on_test="mark"``) may come in. Raises ``ConfigError`` for anything else.
    """
    sender(expected, '{"webhook": verified(GITHUB)}')

    def webhook(request: Request) -> Webhook:  # type: ignore[type-arg]
        return webhook_of(request, expected, allow_test=allow_test)

    return Provide(webhook, sync_to_thread=False)
