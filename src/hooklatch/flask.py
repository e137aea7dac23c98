"""Flask: install the middleware, read the verdict, lock a view a second time.

    latch = Hooklatch()

    def create_app() -> Flask:
        app = Flask(__name__)
        latch.init_app(app, routes={"/hooks/github": GITHUB.chain(os.environ["GITHUB_SECRET"])}, protect=["/hooks/*"])

        @app.post("/hooks/github")
        @verified(GITHUB)
        def push():
            app.logger.info("%s %s", webhook.provider, request.get_json()["ref"])
            return "", 204

        return app

The door stands around ``app.wsgi_app``: a refusal comes before ``before_request``, and neither ``errorhandler`` nor
``after_request`` sees it. Inside, the body is whole again, so ``get_data``, ``get_json``, ``form`` and ``files`` work
as ever; ``webhook.body`` keeps the proven bytes after ``form`` has used up the stream.

Write routes as the application knows its paths; below a mount (DispatcherMiddleware, ProxyFix with ``x_prefix``) the
full path works as well. Give ``app.wsgi_app`` its ProxyFix after ``init_app``, so that it stands outside, and switch
``x_prefix`` on only where the proxy overwrites that header: whoever chooses the prefix can choose among the routes.

``webhook`` and ``verified`` are the second lock. They answer 401, past every error handler, to a request that no latch
has judged, however it came to the view; a view that uses neither runs for whoever reaches it.

``latch.init_blueprint(bp, routes={"/github": ...})`` lets a blueprint bring its own routes; ``@latch.verified(GITHUB,
secrets)`` judges one view inside of the application; ``init_app(app, errorhandlers=True)`` sends refusals through the
application's error handlers.
"""

from __future__ import annotations

import io
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar, Unpack, cast

from flask import Blueprint, Flask, Response, abort, current_app, has_request_context, request
from werkzeug.exceptions import default_exceptions
from werkzeug.local import LocalProxy

from hooklatch.errors import NotProven
from hooklatch.extension import Extension
from hooklatch.lock import BODY, MEDIA_TYPE, STATUS, demand, headers, locked, sender
from hooklatch.settings import Settings
from hooklatch.types import Webhook
from hooklatch.verdict import ENVIRON_KEY
from hooklatch.wsgi import WebhookMiddleware

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

    from hooklatch.chain import Chain, Options
    from hooklatch.provider import Provider
    from hooklatch.secrets import Secrets

__all__ = ["Hooklatch", "Settings", "verified", "webhook"]

_TEST_ALLOWED: Final = "hooklatch.flask.test_allowed"
_VIEW: Final = "hooklatch.flask.view"
_REACHED: Final = "hooklatch.flask.reached"

Arguments = ParamSpec("Arguments")
Returned = TypeVar("Returned")


class Hooklatch(Extension[Flask]):
    """Installs ``WebhookMiddleware`` in Flask applications; see ``hooklatch.extension``."""

    kind = Flask
    slot = "wsgi_app"
    door = WebhookMiddleware

    def init_app(self, app: Flask, *, errorhandlers: bool = False, **settings: Unpack[Settings]) -> None:
        """Wrap ``app.wsgi_app``, once; the middleware is then also ``app.extensions["hooklatch"]``.

        *errorhandlers*: whether refusals go through the application's error handlers and ``after_request`` functions;
        what they answer is sent instead, with the header lines of the refusal that it does not set itself. Raises
        ``ConfigError``; see ``Extension``.
        """
        super().init_app(app, **settings)
        if errorhandlers:
            app.wsgi_app = _Handled(app, cast("WebhookMiddleware", app.wsgi_app))  # type: ignore[method-assign]

    def init_blueprint(self, blueprint: Blueprint, **settings: Unpack[Settings]) -> None:
        """Latch whatever application *blueprint* is registered in; ``routes`` and ``protect`` begin at its prefix.

        Every registration has a door of its own, and so has the application: give them one ``store``.
        """
        given = self._shared(settings)
        routes, protect = settings.get("routes", {}), settings.get("protect", ())

        def latch(state: BlueprintSetupState) -> None:
            prefix = (state.url_prefix or "").rstrip("/")
            given["routes"] = {prefix + pattern: chain for pattern, chain in routes.items()}
            given["protect"] = [prefix + pattern for pattern in protect]
            app = cast("Flask", state.app)
            app.wsgi_app = WebhookMiddleware(app.wsgi_app, **given)  # type: ignore[method-assign]

        blueprint.record(latch)

    def verified(
        self, provider: Provider, secrets: Secrets, *, allow_test: bool = False, **options: Unpack[Options]
    ) -> Callable[[Callable[Arguments, object]], Callable[Arguments, ResponseReturnValue]]:
        """Return a decorator that judges the requests to one view, where no route has judged them.

        It goes below ``@app.post(...)``. *secrets* and *options* are those of ``provider.chain``; *allow_test* lets
        marked test traffic in. Flask has run ``before_request`` by then: where that reads the form, the proof is gone
        and the answer is 400. Raises ``ConfigError``.
        """

        def decorate(view: Callable[Arguments, object]) -> Callable[Arguments, ResponseReturnValue]:
            # Named after the view, so that views of one sender do not share their memory of duplicates.
            named: Options = {"name": f"{view.__module__}.{view.__qualname__}", **options}
            given: Settings = {**self._shared({}), "routes": {"/*": provider.chain(secrets, **named)}}
            door = WebhookMiddleware(_handled, **given)

            @wraps(view)
            def called(*args: Arguments.args, **kwargs: Arguments.kwargs) -> ResponseReturnValue:
                def judged() -> object:
                    _demand(provider, allow_test=allow_test)
                    request.environ[_TEST_ALLOWED] = allow_test
                    return current_app.ensure_sync(view)(*args, **kwargs)

                if isinstance(request.environ.get(ENVIRON_KEY), Webhook):
                    return cast("ResponseReturnValue", judged())
                if "stream" in vars(request):
                    # Somebody has looked at the body; what get_data() has kept is still there to be judged.
                    request.environ["wsgi.input"] = io.BytesIO(request.get_data())
                    del vars(request)["stream"]
                request.environ[_VIEW] = judged
                return Response.from_app(door, request.environ)

            return called

        return decorate

    def _shared(self, settings: Settings) -> Settings:
        """Return the settings but for those that belong to an application as a whole."""
        merged: Settings = {**self.settings, **settings}
        merged.pop("routes", None)
        merged.pop("protect", None)
        return merged


def _handled(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Run the view of a request that was judged inside of the application."""
    view = environ.pop(_VIEW)
    # Werkzeug's from_app() called the door with a copy, and it is there that the door has left verdict and body.
    request.environ.clear()
    request.environ.update(environ)
    return current_app.make_response(view())(environ, start_response)


def _unwritten(data: bytes) -> None:
    """Take nothing: the door returns what it answers."""


class _Handled:
    """Lets the application say how a refusal looks."""

    def __init__(self, app: Flask, door: WebhookMiddleware) -> None:
        self._app = app
        self._door = door
        self._inner = door.app
        door.app = self._reached

    def _reached(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ[_REACHED] = True
        return self._inner(environ, start_response)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Callable[[bytes], object]:  # noqa: ANN401
            if environ.get(_REACHED) is True:
                return start_response(status, headers, *exc_info)
            started.append((status, headers))
            return _unwritten

        content = self._door(environ, start)
        if not started:
            return content
        status, headers = started[0]
        answer = refusal = Response(content, status, headers)
        if refusal.status_code in default_exceptions:
            with self._app.request_context(environ):
                raised = default_exceptions[refusal.status_code](response=refusal)
                answer = self._app.finalize_request(self._app.handle_http_exception(raised), from_error_handler=True)
            for name, value in headers:
                if not name.startswith("content-"):
                    answer.headers.setdefault(name, value)
            if answer is not refusal:
                answer.call_on_close(refusal.close)
        return answer(environ, start_response)


def _current() -> Webhook:
    """Return the verdict on the current request."""
    if not has_request_context():
        msg = "hooklatch.flask.webhook belongs to a request, and none is being handled here"
        raise RuntimeError(msg)
    return _demand(None, allow_test=request.environ.get(_TEST_ALLOWED) is True)


webhook: Webhook = LocalProxy(_current)  # type: ignore[assignment]
"""The verdict on the current request.

Answers 401 where there is none, or one on test traffic that no ``verified(..., allow_test=True)`` let in. Outside of a
request it raises ``RuntimeError``. ``webhook._get_current_object()`` is the ``Webhook`` itself, for threads and queues.
"""


def verified(
    expected: Provider | Chain | str, *, allow_test: bool = False
) -> Callable[[Callable[Arguments, Returned]], Callable[Arguments, Returned]]:
    """Return a decorator for views, sync or async: 401 unless *expected* sent this very request.

    It goes below ``@app.post(...)``. *expected*: the provider, its name, or the route's chain; *allow_test*: whether
    test traffic that the route marks (``on_test="mark"``) may come in. Raises ``ConfigError`` for anything else.
    """
    sender(expected, "@verified(GITHUB)")

    def lock() -> None:
        _demand(expected, allow_test=allow_test)
        request.environ[_TEST_ALLOWED] = allow_test

    return partial(locked, lock)


def _demand(expected: Provider | Chain | str | None, *, allow_test: bool) -> Webhook:
    """Return the verdict on the current request, or end the request with the door's own 401."""
    try:
        return demand(request.environ, expected, allow_test=allow_test)
    except NotProven:
        # A bare 401 would go to the application's errorhandler, which may well redirect it to a login page.
        abort(Response(BODY, STATUS, headers(), content_type=MEDIA_TYPE))
