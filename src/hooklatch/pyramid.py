"""Pyramid: include it, latch the application, lock a view a second time.

    config.include("hooklatch.pyramid")
    config.latch(routes={"/hooks/github": GITHUB.chain(secret)}, protect=["/hooks/*"])

    @view_config(route_name="push", renderer="json", verified=GITHUB)
    def push(request):
        return {"from": request.webhook.provider, "ref": request.json_body["ref"]}

``config.latch`` puts the door in as a tween, directly below the ingress unless tweens are ordered by hand: a refusal
comes before routing, and a tween or a subscriber outside of it must leave the body alone. Wrapping
``config.make_wsgi_app()`` in ``hooklatch.wsgi.WebhookMiddleware`` does as well, with the same ``request.webhook``.

``verified=`` on a view is the second lock: 401 unless that provider sent this very request; with ``allow_test=True``
marked test traffic too. ``request.webhook`` answers 401 where there is no verdict, or one on test traffic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Unpack

from pyramid.httpexceptions import HTTPUnauthorized

from hooklatch.errors import NotProven
from hooklatch.lock import BODY, MEDIA_TYPE, demand, headers, sender
from hooklatch.wsgi import WebhookMiddleware

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment
    from pyramid.config import Configurator
    from pyramid.registry import Registry
    from pyramid.request import Request
    from pyramid.response import Response

    from hooklatch.chain import Chain
    from hooklatch.provider import Provider
    from hooklatch.settings import Settings
    from hooklatch.types import Webhook

__all__ = ["includeme", "latch_tween", "webhook_of"]

_REQUEST: Final = "hooklatch.pyramid.request"
_HANDLER: Final = "hooklatch.pyramid.handler"


def includeme(config: Configurator) -> None:
    """Add ``config.latch``, ``request.webhook`` and the view options ``verified`` and ``allow_test``."""
    config.add_directive("latch", _latch)
    config.add_request_method(webhook_of, "webhook", reify=True)
    config.add_view_deriver(_verified, "verified")


def _latch(config: Configurator, **settings: Unpack[Settings]) -> None:
    """Put ``hooklatch.wsgi.WebhookMiddleware`` in front of the application; it explains the *settings*."""
    given: Settings = {"routes": {}, **settings}
    config.registry[_HANDLER] = WebhookMiddleware(_handled, **given)
    config.add_tween("hooklatch.pyramid.latch_tween")


def latch_tween(handler: Callable[[Request], Response], registry: Registry) -> Callable[[Request], Response]:
    """Return the tween that judges every request; the factory that ``config.latch`` adds."""
    door = registry[_HANDLER]

    def tween(request: Request) -> Response:
        request.environ[_REQUEST] = request
        request.environ[_HANDLER] = handler
        return request.get_response(door)

    return tween


def _handled(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Hand the judged request on to the tweens and the view below."""
    response: Iterable[bytes] = environ.pop(_HANDLER)(environ.pop(_REQUEST))(environ, start_response)
    return response


def webhook_of(
    request: Request, expected: Provider | Chain | str | None = None, *, allow_test: bool = False
) -> Webhook:
    """Return the verdict on *request*, or raise the ``HTTPUnauthorized`` that becomes a 401.

    *expected* and *allow_test* are those of ``hooklatch.get_webhook``, which is this function without a framework.
    """
    try:
        return demand(request, expected, allow_test=allow_test)
    except NotProven as missing:
        raise HTTPUnauthorized(headers=headers(), body=BODY, content_type=MEDIA_TYPE) from missing


def _verified(view: Callable[..., Any], info: Any) -> Callable[..., Any]:  # noqa: ANN401 - pyramid has no types
    """Return *view* behind the second lock, if it has asked for one."""
    expected, allow_test = info.options.get("verified"), info.options.get("allow_test", False)
    if expected is None:
        return view
    sender(expected, "view_config(..., verified=GITHUB)")

    def locked(context: object, request: Request) -> Response:
        request.webhook = webhook_of(request, expected, allow_test=allow_test)
        return view(context, request)

    return locked


_verified.options = ("verified", "allow_test")  # type: ignore[attr-defined]
