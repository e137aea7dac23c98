"""The two applications of the demo, each made by a factory as a real one would be: Starlette (ASGI) and Flask (WSGI).

Both have the same routes. Every secret comes from an environment variable, as in production; ``environment`` is where
the demo puts them there.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hooklatch import Secret
from hooklatch.providers import MECHANIC, MOMENTO, PATCHWORKS, SPECKLE
from hooklatch.starlette import WebhookMiddleware, webhook_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask
    from flask.typing import ResponseReturnValue
    from starlette.requests import Request

    from hooklatch import Chain

RUN: Final = "HOOKLATCH_DEMO_RUN"
"""The environment variable that names a run, so that the demo knows its own servers."""

TEST_AGENTS: Final = ["Test Harness/*"]
SHOP: Final = "https://shop.example"
FAIL_ONCE: Final = re.compile(rb"fail-once-[0-9]+")

# Settings of the user's own servers have no say here.
FOREIGN: Final = ("UVICORN_", "WEB_CONCURRENCY", "FORWARDED_ALLOW_IPS", "HOOKLATCH_")

PATCHWORKS_RIPEMD128: Final = PATCHWORKS.using(algorithm="hmac-ripemd128")
MECHANIC_BY_THE_MINUTE: Final = MECHANIC.over("customer_id", signature="customer_id_signature", every=60)


def variable(sender: str, secret: str) -> str:
    """Return the environment variable that holds one of a sender's secrets (new, old or test)."""
    return f"HOOKLATCH_DEMO_{sender}_{secret}".upper()


def environment(run_name: str, known: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Return the servers' environment: ours, without settings for other servers, and with the secrets of this run."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    given = {variable(sender, name): of[name] for sender, of in known.items() for name in ("new", "old", "test")}
    # They work in an empty folder, so that no file in ours is imported by accident, and import what we import.
    path = os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path)
    return {**inherited, **given, RUN: run_name, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}


def routes() -> dict[str, Chain]:
    """Return the routes; secrets newest first. Where no time is signed, test traffic has a secret of its own."""

    def rotating(sender: str) -> list[str | Secret]:
        return [os.environ[variable(sender, secret)] for secret in ("new", "old")]

    def with_test(sender: str) -> list[str | Secret]:
        return [*rotating(sender), Secret(os.environ[variable(sender, "test")], test=True)]

    return {
        "/hooks/momento": MOMENTO.chain(rotating("momento"), test_agents=TEST_AGENTS),
        "/hooks/speckle": SPECKLE.chain(with_test("speckle"), test_agents=TEST_AGENTS),
        "/hooks/patchworks": PATCHWORKS.chain(with_test("patchworks"), test_agents=TEST_AGENTS),
        "/hooks/patchworks-ripemd128": PATCHWORKS_RIPEMD128.chain(
            with_test("patchworks_ripemd128"), test_agents=TEST_AGENTS
        ),
        "/hooks/mechanic": MECHANIC_BY_THE_MINUTE.chain(with_test("mechanic"), test_agents=TEST_AGENTS, cors=[SHOP]),
    }


class Work:
    """What the handlers did: how often one was called, and which deliveries it has failed already."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._lock = Lock()
        self._calls = 0
        self._failed: set[bytes] = set()

    def succeeds(self, body: bytes) -> bool:
        """Count a call; return False the first time a *body* asks for a failure."""
        wish = FAIL_ONCE.search(body)
        with self._lock:
            self._calls += 1
            if wish is None or wish[0] in self._failed:
                return True
            self._failed.add(wish[0])
            return False

    def report(self) -> dict[str, object]:
        """Return what ``GET /seen`` answers."""
        with self._lock:
            return {"run": os.environ[RUN], "calls": self._calls}


def starlette_app() -> Starlette:
    """Return the ASGI application."""
    logging.basicConfig(level=logging.INFO)
    work = Work()

    async def hook(request: Request) -> Response:
        page = webhook_of(request).provider == MECHANIC.name
        if not work.succeeds(await request.body()):
            return Response(status_code=500)
        # A page reads the answer; the other senders look at the status alone.
        return JSONResponse({"ok": True}) if page else Response(status_code=204)

    async def seen(request: Request) -> Response:  # noqa: ARG001 - the framework passes it
        return JSONResponse(work.report())

    return Starlette(
        routes=[Route("/hooks/{sender}", hook, methods=["POST"]), Route("/seen", seen)],
        middleware=[Middleware(WebhookMiddleware, routes=routes(), store="memory://", protect=["/hooks/*"])],
    )


def flask_app() -> Flask:
    """Return the WSGI application."""
    from flask import Flask, abort, jsonify, request  # noqa: PLC0415 - an extra; the ASGI server does without

    from hooklatch.flask import Hooklatch, webhook  # noqa: PLC0415 - needs the extra

    logging.basicConfig(level=logging.INFO)
    work = Work()
    app = Flask(__name__)
    latch = Hooklatch()
    latch.init_app(app, routes=routes(), store="memory://", protect=["/hooks/*"])

    @app.post("/hooks/<sender>")
    def hook(sender: str) -> ResponseReturnValue:  # noqa: ARG001 - the framework passes it
        page = webhook.provider == MECHANIC.name
        if not work.succeeds(request.get_data()):
            abort(500)
        return jsonify(ok=True) if page else ("", 204)

    @app.get("/seen")
    def seen() -> ResponseReturnValue:
        return jsonify(work.report())

    return app
