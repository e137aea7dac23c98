"""A pytest plugin for the test suites of frameworks: every application they make stands behind a door.

``HOOKLATCH_DOOR=none``: none, to see what fails without us. ``passing``: a door that has nothing to judge. ``judging``:
one whose route is every path and whose only verifier believes everybody, so that every body is captured and put back.
See test_framework_suites.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import _pytest.monkeypatch
import flask
import starlette.testclient
import werkzeug.test

from hooklatch import Chain, asgi, wsgi

DOOR = os.environ["HOOKLATCH_DOOR"]


class Everybody:
    """A verifier, and the keys it needs, that believe everybody: there is nothing like it outside of this file."""

    proves = True
    party = None
    tests = False

    def open(self, head: Any, facts: Any) -> None:
        return None

    def active(self, now: float) -> tuple[()]:
        return ()


def settings() -> dict[str, Any]:
    everybody: Any = Everybody()
    chain = Chain(
        [everybody], provider="everybody", keys=everybody, coverage="body", max_body=1 << 30, on_duplicate="run"
    )
    path = "/*" if DOOR == "judging" else "/no/test/posts/here"
    return {"routes": {path: chain}, "protect": ["/no/test/posts/there"]}


# Werkzeug's conftest wants it for tests with live servers, which are not among those that run.
sys.modules.setdefault("ephemeral_port_reserve", ModuleType("ephemeral_port_reserve"))

# The number of requests that went through a door: none would mean that nothing was tested.
through = [0]
failed: set[str] = set()
passed: set[str] = set()


def pytest_configure() -> None:
    """Wrap what the suites hand to their clients, and mend what their conftest files need of older releases."""
    _pytest.monkeypatch.notset = getattr(_pytest.monkeypatch, "notset", _pytest.monkeypatch.NOTSET)  # type: ignore[attr-defined]
    if DOOR == "none":
        return
    start_asgi = starlette.testclient.TestClient.__init__
    start_client = werkzeug.test.Client.__init__
    start_flask = flask.Flask.__init__

    def latched_asgi(self: Any, app: Any, *args: Any, **kwargs: Any) -> None:
        start_asgi(self, app, *args, **kwargs)
        self._transport.app = _counted_asgi(asgi.WebhookMiddleware(self._transport.app, **settings()))

    def latched_client(self: Any, application: Any, *args: Any, **kwargs: Any) -> None:
        if not isinstance(application, flask.Flask):  # a Flask is wrapped where it is made
            application = _counted_wsgi(wsgi.WebhookMiddleware(application, **settings()))
        start_client(self, application, *args, **kwargs)

    def latched_flask(self: Any, *args: Any, **kwargs: Any) -> None:
        start_flask(self, *args, **kwargs)
        self.wsgi_app = _counted_wsgi(wsgi.WebhookMiddleware(self.wsgi_app, **settings()))

    starlette.testclient.TestClient.__init__ = latched_asgi  # type: ignore[method-assign]
    werkzeug.test.Client.__init__ = latched_client  # type: ignore[method-assign]
    flask.Flask.__init__ = latched_flask  # type: ignore[method-assign]


def _counted_asgi(app: Any) -> Any:
    async def called(scope: Any, receive: Any, send: Any) -> None:
        through[0] += 1
        await app(scope, receive, send)

    return called


def _counted_wsgi(app: Any) -> Any:
    def called(environ: Any, start_response: Any) -> Any:
        through[0] += 1
        return app(environ, start_response)

    return called


def pytest_runtest_logreport(report: Any) -> None:
    """Note how each test went."""
    if report.failed:
        failed.add(report.nodeid)
    elif report.when == "call" and report.passed:
        passed.add(report.nodeid)


def pytest_sessionfinish() -> None:
    """Tell the test that started all this."""
    told = {"failed": sorted(failed), "passed": sorted(passed - failed), "through": through[0]}
    Path(os.environ["HOOKLATCH_TOLD"]).write_text(json.dumps(told))
