"""Django: verify inbound webhooks in a middleware, read the verdict, lock a view a second time.

    INSTALLED_APPS = [..., "hooklatch.django"]                     # for the system checks
    MIDDLEWARE = ["django.middleware.security.SecurityMiddleware", "hooklatch.django.WebhookMiddleware", ...]
    HOOKLATCH = {"routes": {"/hooks/github": GITHUB.chain(os.environ["GITHUB_SECRET"])}, "protect": ["/hooks/*"]}

    @verified(GITHUB)
    def push(request):
        print(request.webhook.provider, json.loads(request.body)["ref"])
        return HttpResponse(status=204)

``HOOKLATCH`` holds the settings of a door, or is the path of a TOML file (``hooklatch.config``). The middleware works
in sync and async Django and with ``Client`` and ``AsyncClient``. It stands above ``CsrfViewMiddleware``, which it
satisfies for live deliveries whose whole body is proven, and below whatever only redirects or corrects addresses.
Inside, ``request.body``, ``POST`` and ``FILES`` work as ever.

Django's ASGI handler takes the whole body in before any middleware runs; where strangers may send much or slowly, put
``hooklatch.asgi.WebhookMiddleware`` around ``get_asgi_application()`` instead, or as well: a middleware that finds its
own verdict passes the request on.
"""

from __future__ import annotations

import logging
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar, cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpResponse

from hooklatch import asgi, wsgi
from hooklatch.chain import Chain
from hooklatch.django_request import Asked, asked_of
from hooklatch.django_settings import NAME, configured
from hooklatch.django_streams import is_good, stream, stream_async
from hooklatch.drive import arun, run
from hooklatch.errors import CHALLENGE, NO_STORE, Answer, ConfigError, NotProven, Unauthenticated
from hooklatch.observe import escaped
from hooklatch.provider import Provider
from hooklatch.settle import Settlement
from hooklatch.settle_async import AsyncSettlement
from hooklatch.verdict import get_webhook

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase


__all__ = ["WebhookMiddleware", "verified"]

logger: Final = logging.getLogger("hooklatch")

Arguments = ParamSpec("Arguments")
Returned = TypeVar("Returned")


class WebhookMiddleware:
    """Verifies the requests of the routes in ``HOOKLATCH``; see the module. Raises ``ConfigError`` at the start."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        """*get_response*: what follows, a coroutine function where Django is to await this middleware."""
        self.get_response = get_response
        self._awaited = iscoroutinefunction(get_response)
        if self._awaited:
            markcoroutinefunction(self)
        self._made_of: object = None
        self._door = self._made()

    def _made(self) -> asgi.WebhookMiddleware | wsgi.WebhookMiddleware:
        self._made_of, found = configured()
        if self._awaited:
            return asgi.WebhookMiddleware(_nothing, **found)
        return wsgi.WebhookMiddleware(_nothing, **found)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Judge one request."""
        # Another setting than at the start is override_settings at work.
        if getattr(settings, NAME, None) is not self._made_of:
            self._door = self._made()
        door = self._door
        if isinstance(door, asgi.WebhookMiddleware):
            return self._judge_async(door, request)
        return self._judge(door, request)

    def _judge(self, door: wsgi.WebhookMiddleware, request: HttpRequest) -> HttpResponseBase:
        asked = asked_of(door, request)
        if not isinstance(asked, Asked):
            return asked or self.get_response(request)
        try:
            if asked.watch:
                asked.watch.look()
            admitted = run(asked.chain.flow(asked.head), asked.source.read, door.store)
        except Answer as answer:
            if asked.watch:
                asked.watch.refused(answer)
            return asked.refused(answer)
        except BaseException:
            asked.body.close()
            raise
        settlement = Settlement(door.store, admitted.claim)
        try:
            if asked.watch:
                asked.watch.clear()
            asked.admit(admitted.webhook)
            response: HttpResponseBase = self.get_response(request)
            asked.dress(response)
            if response.streaming:
                stream(response, settlement, asked.body, asked.head.method)
                return response
        except BaseException:
            settlement.finish(good=False)
            asked.body.close()
            raise
        settlement.finish(good=is_good(response))
        asked.body.close()
        return response

    async def _judge_async(self, door: asgi.WebhookMiddleware, request: HttpRequest) -> HttpResponseBase:
        asked = asked_of(door, request)
        if not isinstance(asked, Asked):
            return asked or await self.get_response(request)
        try:
            if asked.watch:
                await asked.watch.alook()
            admitted = await arun(asked.chain.flow(asked.head), asked.read_async, door.store)
        except Answer as answer:
            if asked.watch:
                await asked.watch.arefused(answer)
            return asked.refused(answer)
        except BaseException:
            asked.body.close()
            raise
        settlement = AsyncSettlement(door.store, admitted.claim)
        try:
            if asked.watch:
                await asked.watch.aclear()
            asked.admit(admitted.webhook)
            response: HttpResponseBase = await self.get_response(request)
            asked.dress(response)
            if response.streaming:
                stream_async(response, settlement, asked.body)
                return response
        except BaseException:
            await settlement.finish(good=False)
            asked.body.close()
            raise
        await settlement.finish(good=is_good(response))
        asked.body.close()
        return response


def _nothing(*_: object) -> Any:  # noqa: ANN401 - never called
    """Stand in for the application of a door whose parts are used one by one."""


def verified(
    expected: Provider | Chain | str, *, allow_test: bool = False
) -> Callable[[Callable[Arguments, Returned]], Callable[Arguments, Returned]]:
    """Return a decorator for views, sync or async: 401 unless *expected* sent this very request.

    *expected*: the provider, its name, or the route's chain; *allow_test*: whether test traffic that the route marks
    (``on_test="mark"``) may come in. The view finds the verdict in ``request.webhook``. Raises ``ConfigError`` for
    anything else. For a class: ``@method_decorator(verified(GITHUB), name="dispatch")``.
    """
    if not isinstance(cast("object", expected), Provider | Chain | str):
        msg = f"verified() takes the provider a view is written for, as in @verified(GITHUB), not {expected!r}"
        raise ConfigError(msg)

    def refusal(request: Any) -> Any:  # noqa: ANN401 - it gets an attribute more
        try:
            request.webhook = get_webhook(request, expected, allow_test=allow_test)
        except NotProven as absent:
            logger.warning("second lock: %s", escaped(str(absent)))
            body, kind = Unauthenticated().problem()
            return HttpResponse(body, kind, Unauthenticated.status, headers=dict((CHALLENGE, NO_STORE)))
        return None

    def decorate(view: Callable[Arguments, Returned]) -> Callable[Arguments, Returned]:
        if iscoroutinefunction(view):

            @wraps(view)
            async def awaited(*args: Arguments.args, **kwargs: Arguments.kwargs) -> object:
                return refusal(args[0]) or await view(*args, **kwargs)

            return cast("Callable[Arguments, Returned]", awaited)

        @wraps(view)
        def called(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Returned:
            return refusal(args[0]) or view(*args, **kwargs)

        return called

    return decorate
