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
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

from flask import Flask, Response, abort, has_request_context, request
from werkzeug.local import LocalProxy

from hooklatch.errors import NotProven
from hooklatch.extension import Extension
from hooklatch.lock import BODY, MEDIA_TYPE, STATUS, demand, headers, locked, sender
from hooklatch.settings import Settings
from hooklatch.wsgi import WebhookMiddleware

if TYPE_CHECKING:
    from collections.abc import Callable

    from hooklatch.chain import Chain
    from hooklatch.provider import Provider
    from hooklatch.types import Webhook

__all__ = ["Hooklatch", "Settings", "verified", "webhook"]

_TEST_ALLOWED: Final = "hooklatch.flask.test_allowed"

Arguments = ParamSpec("Arguments")
Returned = TypeVar("Returned")


class Hooklatch(Extension[Flask]):
    """Installs ``WebhookMiddleware`` in Flask applications; see ``hooklatch.extension``."""

    kind = Flask
    slot = "wsgi_app"
    door = WebhookMiddleware


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
